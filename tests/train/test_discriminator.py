"""The PatchGAN: its published size and field of view, and weights that follow from a seed."""

from pathlib import Path

import pytest
import torch

from catdsl.analysis.cost import exact_macs
from catdsl.diagnostics import CatError
from catdsl.jobs.setting import JobOptions, settle
from catdsl.project import load
from catdsl.train.discriminator import build_discriminator

SPECS = Path(__file__).resolve().parents[2] / "specs"


def built(**options):
    return build_discriminator(**{"channels": 6, "size": (256, 256), "seed": 0} | options)


def test_the_published_network():
    network = built()
    # pix2pix's 70 x 70 PatchGAN of 6 input channels, batch norm: 2.769 M parameters
    assert sum(p.numel() for p in network.parameters()) == 2_768_705
    (judged,) = network(torch.zeros(1, 6, 256, 256))
    assert judged.logits_B1HW.shape == (1, 1, 30, 30)
    assert [f.shape[1] for f in judged.features] == [64, 128, 256, 512]


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_field_of_view(layers, field):
    network = built(layers=layers, width=4).eval()
    x = torch.randn(1, 6, 256, 256, requires_grad=True)
    (judged,) = network(x)
    logits = judged.logits_B1HW
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
    name = "scales.0.first.conv0.weight"
    assert not torch.equal(first.get_parameter(name), other.get_parameter(name))


def test_spectral_norms_follow_from_the_seed_too():
    """And are those of the weights: a network that is new judges with what it has."""

    def multiscale(seed):
        return build_discriminator(kind="multiscale", channels=6, size=(32, 32), width=4, scales=2, layers=3, seed=seed)

    torch.manual_seed(1)
    first = multiscale(4)
    torch.manual_seed(2)
    again = multiscale(4)
    assert first.state_dict().keys() == again.state_dict().keys()
    assert any(name.endswith("_u") for name in first.state_dict())
    assert all(map(torch.equal, first.state_dict().values(), again.state_dict().values()))
    for scale in first.eval().scales:
        weight = scale.get_submodule("middle.0.conv0").weight
        assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, abs=0.05)


def test_too_few_layers():
    with pytest.raises(CatError, match=r"E607.*discriminator of 1 layer .*2 at least"):
        build_discriminator(kind="multiscale", channels=6, size=(32, 32), layers=1, seed=0)


@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_initial_weights(norm):
    network = built(norm=norm)
    block = network.get_submodule("scales.0.middle.0")
    assert block.conv0.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert block.norm0.weight.mean().item() == pytest.approx(1, abs=0.01)
    assert (block.conv0.bias is None) == (norm == "batch")
    assert not network.get_parameter("scales.0.first.conv0.bias").any()


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
@pytest.mark.parametrize("norm", ["batch", "instance"])
def test_the_smallest_size_trains_and_a_smaller_one_is_refused(layers, norm):
    smallest = 4 * 2**layers
    network = built(layers=layers, width=2, size=(smallest, smallest + 5), norm=norm)
    (judged,) = network(torch.randn(1, 6, smallest, smallest + 5))
    judged.logits_B1HW.mean().backward()
    with pytest.raises(CatError, match=r"E607.*too small"):
        built(layers=layers, size=(smallest, smallest - 1))


# ---- std.multiscale: GauGAN's, one scale at a time ----


def scale(number, **more):
    return load(SPECS / "std" / "multiscale.cat", {"scale": number, **more})


def test_the_published_multi_scale_discriminator():
    """Two scales of 39 channels (Cityscapes): 5.6 M parameters, and logits of half the size each."""
    scales = [scale(0), scale(1)]
    assert sum(project.cost.params for project in scales) == 2 * 2_800_705
    first, second = (project.teacher(seed=0).eval() for project in scales)
    x = torch.randn(1, 39, 64, 128)
    with torch.no_grad():
        assert first(x).shape == (1, 1, 11, 19)
        assert second(x).shape == (1, 1, 7, 11)
    assert any("parametrizations" in name for name in first.state_dict())


@pytest.mark.parametrize("kind", ["patchgan", "multiscale"])
def test_every_scale_has_weights_of_its_own_and_sees_half_the_size(kind):
    network = built(kind=kind, scales=3, width=4, layers=2, size=(64, 96))
    judged = network(torch.randn(2, 6, 64, 96))
    heights = [j.logits_B1HW.shape[2] for j in judged]
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) == 3
    first, second = (scale.get_submodule("first.conv0").weight for scale in network.scales[:2])
    assert not torch.equal(first, second)


@pytest.mark.parametrize("kind", ["patchgan", "multiscale"])
def test_the_smallest_size_at_two_scales(kind):
    smallest = {"patchgan": 32, "multiscale": 16}[kind]
    network = built(kind=kind, scales=2, width=2, layers=2, size=(smallest, smallest), norm="instance")
    sum(j.logits_B1HW.mean() for j in network(torch.randn(1, 6, smallest, smallest))).backward()
    with pytest.raises(CatError, match=rf"E607.*2 scales, which needs {smallest} pixels"):
        built(kind=kind, scales=2, layers=2, size=(smallest - 1, 64))


def test_a_scale_sees_the_image_halved():
    """Away from the border a scale gives what the one before gives for the halved image."""
    halved = scale(1, ndf=4, channels=3).teacher(seed=3).eval()
    plain = scale(0, ndf=4, channels=3).teacher(seed=3).eval()
    plain.load_state_dict(halved.state_dict())
    x = torch.randn(1, 3, 64, 64)
    smaller = torch.nn.functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
    with torch.no_grad():
        torch.testing.assert_close(halved(x), plain(smaller))


def test_a_discriminator_is_checked_but_not_trained_alone(tmp_path):
    project = scale(0)
    assert project.graph.kind == "discriminator"
    assert exact_macs(project.graph)["first.conv0"] > 0
    with pytest.raises(CatError, match="E211"):
        settle(project, JobOptions(tmp_path), lambda line: None)
