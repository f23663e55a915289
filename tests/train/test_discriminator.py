"""The PatchGAN: its published size and field of view, and weights that follow from a seed."""

import pytest
import torch

from catdsl.diagnostics import CatError
from catdsl.train.discriminator import build_discriminator


def built(**options):
    return build_discriminator(**{"channels": 6, "size": (256, 256), "seed": 0} | options)


def test_the_published_network():
    network = built()
    # pix2pix's 70 x 70 PatchGAN of 6 input channels, batch norm: 2.769 M parameters
    assert sum(p.numel() for p in network.parameters()) == 2_768_705
    assert network(torch.zeros(1, 6, 256, 256)).shape == (1, 1, 30, 30)


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_field_of_view(layers, field):
    network = built(layers=layers, width=4).eval()
    x = torch.randn(1, 6, 256, 256, requires_grad=True)
    logits = network(x)
    middle = logits.shape[-1] // 2
    logits[0, 0, middle, middle].backward()
    seen = x.grad.abs().sum(1)[0].nonzero()
    assert (seen.max(0).values - seen.min(0).values + 1).tolist() == [field, field]


def test_weights_follow_from_the_seed_and_leave_global_randomness_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first, again, other = built(seed=4), built(seed=4), built(seed=5)
    assert torch.equal(torch.rand(3), expected)
    assert all(map(torch.equal, first.state_dict().values(), again.state_dict().values()))
    assert not torch.equal(first.first.conv0.weight, other.first.conv0.weight)


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_initial_weights(norm):
    network = built(norm=norm)
    block = network.get_submodule("middle.0")
    assert block.conv0.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert block.norm0.weight.mean().item() == pytest.approx(1, abs=0.01)
    assert (block.conv0.bias is None) == (norm == "batch")
    assert not network.first.conv0.bias.any()


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_the_smallest_size_trains_and_a_smaller_one_is_refused(layers, norm):
    smallest = 4 * 2**layers
    network = built(layers=layers, width=2, size=(smallest, smallest + 5), norm=norm)
    network(torch.randn(1, 6, smallest, smallest + 5)).mean().backward()
    with pytest.raises(CatError, match=r"E607.*too small"):
        built(layers=layers, size=(smallest, smallest - 1))
