"""A step in parts, clipped, in other precisions and layouts; averages of weights; the history of images."""

import copy

import pytest
import torch
from lightning_fabric.plugins.precision import MixedPrecision
from torch import nn

from catdsl.diagnostics import CatError
from catdsl.train.averaging import Average
from catdsl.train.data.batches import Batch
from catdsl.train.discriminator import build_discriminator
from catdsl.train.losses.alignment import gka
from catdsl.train.processes import precision_of, start
from catdsl.train.recipe import Recipe
from catdsl.train.seeding import numbers_for
from catdsl.train.stepping import train_step
from catdsl.train.systems.judge import Judge
from catdsl.train.systems.paired import Paired
from catdsl.train.systems.pool import ImagePool
from tests.train import transcription
from tests.train.one_step import one_step
from tests.train.tiny_networks import TinyGenerator

RECIPE = Recipe(gan="lsgan", gan_weight=0.7, recon=3.0, epochs=1, decay_epochs=0, batch=4, lr=1e-3, betas=(0.5, 0.9))


class Plain(nn.Module):
    """A generator without norms, whose loss of a batch is the mean of those of its parts."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.SiLU(), nn.Conv2d(8, 3, 3, padding=1), nn.Tanh())
        self.calls = 0

    def forward(self, x_BCHW):
        self.calls += 1
        return self.layers(x_BCHW)


@pytest.fixture
def batch():
    numbers = torch.Generator().manual_seed(0)
    return Batch(*(torch.rand(4, 3, 32, 32, generator=numbers, dtype=torch.float64) * 2 - 1 for _ in range(2)))


def system(generator=None, recipe=RECIPE):
    judge = build_discriminator(channels=6, size=(32, 32), width=4, layers=2, norm="instance", seed=0)
    return Paired((generator or Plain()).double(), Judge(judge.double(), recipe), recipe)


def flat(system):
    return torch.cat([p.detach().reshape(-1) for n in system.networks.values() for p in n.parameters()])


@pytest.mark.parametrize("parts", [2, 4])
def test_a_batch_in_parts_gives_the_same_step(batch, parts):
    whole, split = system(), system()
    for _ in range(3):
        losses, in_parts = one_step(whole, batch), one_step(split, batch, parts=parts)
    for name, value in losses.items():
        assert in_parts[name].item() == pytest.approx(value.item(), rel=1e-9), name
    torch.testing.assert_close(flat(whole), flat(split), rtol=1e-8, atol=1e-10)


def test_images_are_made_once_unless_their_memory_is_needed(batch):
    made = [system(), system()]
    for one, parts in zip(made, (1, 2), strict=True):
        one_step(one, batch, parts=parts)
    assert [one.networks["generator"].calls for one in made] == [1, 4]


def test_gradients_are_clipped_to_their_norm(batch):
    clipped = system()
    one_step(clipped, batch, clip=1e-3)
    for phase in clipped.phases:
        gradients = [p.grad.norm() for group in phase.optimiser.param_groups for p in group["params"]]
        assert torch.stack(gradients).norm().item() == pytest.approx(1e-3, rel=1e-3)
    free = system()
    one_step(free, batch, clip=1e9)
    plain = system()
    one_step(plain, batch)
    assert torch.equal(flat(free), flat(plain))


def test_channels_last_changes_nothing(batch):
    usual, other = system(), system()
    for network in other.networks.values():
        network.to(memory_format=torch.channels_last)
    one_step(usual, batch)
    one_step(other, batch.to("cpu", channels_last=True))
    torch.testing.assert_close(flat(usual), flat(other), rtol=1e-8, atol=1e-9)


def single(batch):
    return Batch(batch.input_BCHW.float(), batch.target_BCHW.float())


def test_mixed_precision_keeps_weights_in_full_precision_and_comes_near(batch):
    exact, mixed = (system(TinyGenerator()) for _ in range(2))
    for one in (exact, mixed):
        for network in one.networks.values():
            network.float()
    losses = one_step(exact, single(batch))
    kinds = set()
    mixed.networks["generator"].first.register_forward_hook(lambda module, given, made: kinds.add(made.dtype))
    rough = train_step(mixed, [single(batch)], MixedPrecision("bf16-mixed", "cpu"))
    assert kinds == {torch.bfloat16}
    assert all(t.dtype == torch.float32 for n in mixed.networks.values() for t in n.parameters())
    for name, value in losses.items():
        assert rough[name].dtype == torch.float32
        assert rough[name].item() == pytest.approx(value.item(), rel=0.05, abs=0.01), name


def test_alignment_is_exact_whatever_precision_is_cast_to(batch):
    x, y = batch.input_BCHW.float(), batch.target_BCHW.float() + batch.input_BCHW.float()
    exact = gka(x, y)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(gka(x, y), exact)


def test_precisions_that_a_device_has_not_are_refused():
    assert type(precision_of("bf16", "cpu")) is MixedPrecision
    with pytest.raises(CatError, match=r"E607.*fp16 needs a CUDA device"):
        precision_of("fp16", "cpu")


@pytest.mark.parametrize(("device", "said"), [("cuda", "CUDA devices"), ("mps", "share"), ("cuda:0", "share")])
def test_processes_that_cannot_be_started_are_refused(device, said):
    with pytest.raises(CatError, match=f"E607.*{said}"):
        start(device, 2)
    assert start(device, None) == device


def test_processes_that_do_not_come_together_are_told(monkeypatch):
    """As where one of them is stopped while the others wait for it."""

    def lost(*_, **__):
        raise RuntimeError("Failed to recv, got 0 bytes. Connection was likely closed.")

    monkeypatch.setattr("lightning_fabric.Fabric.launch", lost)
    with pytest.raises(CatError, match=r"E606.*have not come together"):
        start("cpu", 2)


@pytest.mark.slow
def test_a_compiled_step_is_the_same(batch):
    eager, compiled = system(), system()
    for network in compiled.networks.values():
        network.compile()
    for _ in range(2):
        losses, others = one_step(eager, batch), one_step(compiled, batch)
    for name, value in losses.items():
        assert others[name].item() == pytest.approx(value.item(), rel=1e-6), name
    assert list(eager.networks["generator"].state_dict()) == list(compiled.networks["generator"].state_dict())


def test_the_average_is_that_of_the_formula():
    network = nn.Linear(3, 2)
    average, plain = Average(network, 0.9), None
    for step in range(5):
        with torch.no_grad():
            network.weight += step
        average.update()
        plain = transcription.moving_average(plain, dict(network.named_parameters()), decay=0.9)
    for name, value in plain.items():
        torch.testing.assert_close(average.state[name], value.detach())
    weights = copy.deepcopy(network.state_dict())
    with average.shown():
        torch.testing.assert_close(network.weight.detach(), plain["weight"].detach())
    assert all(torch.equal(weights[k], v) for k, v in network.state_dict().items())


def test_an_average_of_another_network_is_refused():
    average = Average(nn.Linear(3, 2), 0.9)
    with pytest.raises(ValueError, match="another"):
        average.restore({"weight": torch.zeros(1)})
    average.restore({})
    assert not average.state


def test_the_history_is_that_of_the_formula():
    ours, plain = ImagePool(3, name="p", seed=7), transcription.Pool(3)
    exchanged = 0
    for number in range(1, 60):
        image = torch.full((1, 1, 2, 2), float(number), requires_grad=True)
        numbers = numbers_for(7, "pool", "p", number)
        swap = numbers.random() >= 0.5
        place = int(numbers.integers(3)) if swap else 0
        expected = plain.draw(image[0].detach(), swap=swap, place=place)
        given = ours.query(image)
        assert torch.equal(given[0], expected)
        assert not given.requires_grad
        exchanged += float(given[0, 0, 0, 0]) != number
    assert 15 < exchanged < 45


def test_a_history_goes_on_where_it_was():
    whole, first = (ImagePool(2, name="p", seed=1) for _ in range(2))
    images = [torch.rand(2, 3, 4, 4) for _ in range(8)]
    expected = [whole.query(image) for image in images]
    given = [first.query(image) for image in images[:3]]
    second = ImagePool(2, name="p", seed=1)
    second.restore(first.state, "cpu")
    given += [second.query(image) for image in images[3:]]
    assert all(map(torch.equal, given, expected))


def test_no_history_gives_back_what_it_is_given():
    image = torch.rand(2, 3, 4, 4, requires_grad=True)
    given = ImagePool(0, name="p", seed=0).query(image)
    assert torch.equal(given, image)
    assert not given.requires_grad
