"""One step of each system, against an independent transcription of the published formulas, and what surrounds it."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from catdsl.diagnostics import InternalError
from catdsl.train.data.batches import Batch
from catdsl.train.discriminator import build_discriminator
from catdsl.train.losses.perceptual import Perceptual
from catdsl.train.recipe import Recipe
from catdsl.train.systems.cyclegan import CycleGan
from catdsl.train.systems.distillation import Distillation, build_adapters
from catdsl.train.systems.judge import Judge
from catdsl.train.systems.paired import Paired
from tests.train import transcription
from tests.train.one_step import one_step
from tests.train.tiny_networks import Tapped, TinyGenerator

EXACT = 1e-5
RECIPE = Recipe(gan="lsgan", gan_weight=0.7, recon=3.0, epochs=1, decay_epochs=0, batch=2, lr=1e-3, betas=(0.5, 0.9))
ALIGNED = replace(RECIPE, similarity="gka", alignment=2.0)
UNPAIRED = replace(RECIPE, system="cyclegan", recon_to="teacher", cycle=4.0, identity=0.5)
GAUGAN = replace(
    RECIPE, system="gaugan", gan="hinge", recon=0.0, feature_matching=5.0, ttur=True, betas=(0.0, 0.9)
)  # fmt: skip


def images(seed, *, channels=3):
    numbers = torch.Generator().manual_seed(seed)
    return torch.rand(2, channels, 32, 32, generator=numbers, dtype=torch.float64) * 2 - 1


@pytest.fixture
def batch():
    return Batch(images(0), images(1))


def discriminator(*, channels=6, kind="patchgan", scales=1, seed=0):
    """In float64: a first step of Adam has the sign of the gradient, which rounding must not decide."""
    return build_discriminator(
        kind=kind, channels=channels, size=(32, 32), width=4, layers=2, scales=scales, norm="batch", seed=seed
    ).double()


def network(seed, **options):
    return TinyGenerator(seed=seed, **options).double()


def paired(recipe=RECIPE, *, kind="patchgan", scales=1, perceptual=None):
    judging = discriminator(kind=kind, scales=scales) if recipe.judges else None
    return Paired(network(0), Judge(judging, recipe), recipe, perceptual)


def unpaired(recipe=UNPAIRED):
    judges = (Judge(discriminator(channels=3, seed=seed), recipe) for seed in (2, 3))
    judge, judge_back = judges
    return CycleGan(
        generator=network(0), back=network(1), judge=judge, judge_back=judge_back, recipe=recipe, seed=0
    )  # fmt: skip


def distillation(recipe=ALIGNED, *, student_width=3, adapters=None):
    teacher, student = network(1, width=8), network(2, width=student_width)
    channels = 6 if recipe.conditional else 3
    system = Distillation(
        student=student,
        tapped_student=Tapped(student),
        tapped_teacher=Tapped(teacher),
        judge=Judge(discriminator(channels=channels), recipe),
        recipe=recipe,
        adapters=adapters,
    )
    return system, teacher, student


class Logits(nn.Module):
    """A discriminator as the transcription knows it: logits alone, of one scale."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x_BCHW):
        (judged,) = self.network(x_BCHW)
        return judged.logits_B1HW


class Scales(nn.Module):
    """A discriminator as the transcription of GauGAN knows it: features and logits of each scale."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x_BCHW):
        return [(list(judged.features), judged.logits_B1HW) for judged in self.network(x_BCHW)]


def assert_equal_losses(ours, theirs):
    for name, value in theirs.items():
        assert float(ours[name]) == pytest.approx(float(value), rel=EXACT, abs=EXACT), name
        assert not ours[name].requires_grad


def assert_equal_weights(ours, theirs):
    mine, other = ours.state_dict(), theirs.state_dict()
    assert mine.keys() == other.keys()
    for name, tensor in mine.items():
        assert torch.allclose(tensor, other[name], rtol=EXACT, atol=EXACT), name


def common(recipe):
    return {"gan": recipe.gan, "gan_weight": recipe.gan_weight, "betas": recipe.betas}


@pytest.mark.parametrize("gan", ["lsgan", "hinge", "vanilla"])
def test_pix2pix_steps(batch, gan):
    recipe = replace(RECIPE, gan=gan)
    system = paired(recipe)
    generator, judge = copy.deepcopy(tuple(system.networks.values()))
    memory: dict = {}
    for _ in range(3):
        expected = transcription.pix2pix_step(
            generator, Logits(judge), batch.input_BCHW, batch.target_BCHW, recon=recipe.recon, lr=recipe.lr,
            memory=memory, **common(recipe),
        )  # fmt: skip
        losses = one_step(system, batch)
        assert losses.keys() == expected.keys()
        assert_equal_losses(losses, expected)
    assert_equal_weights(system.networks["generator"], generator)
    assert_equal_weights(system.networks["discriminator"], judge)


def test_gaugan_steps(batch):
    torch.manual_seed(0)
    perceptual = Perceptual().double()
    recipe = replace(GAUGAN, perceptual=2.0)
    system = paired(recipe, kind="multiscale", scales=2, perceptual=perceptual)
    generator, judge = copy.deepcopy(tuple(system.networks.values()))

    def plain_perceptual(made, real):
        return transcription.perceptual_loss(perceptual.compared(made), perceptual.compared(real))

    memory: dict = {}
    for _ in range(3):
        expected = transcription.gaugan_step(
            generator, Scales(judge), batch.input_BCHW, batch.target_BCHW, feature_matching=5.0,
            perceptual=plain_perceptual, perceptual_weight=2.0, gan_weight=0.7, lr_generator=recipe.lr / 2,
            lr_discriminator=recipe.lr * 2, betas=recipe.betas, memory=memory,
        )  # fmt: skip
        assert_equal_losses(one_step(system, batch), expected)
    assert_equal_weights(system.networks["generator"], generator)
    assert_equal_weights(system.networks["discriminator"], judge)


def test_cyclegan_steps(batch):
    system = unpaired()
    there, back, judge, judge_back = copy.deepcopy(tuple(system.networks.values()))
    memory: dict = {}
    for _ in range(3):
        expected = transcription.cyclegan_step(
            there, back, Logits(judge), Logits(judge_back), batch.input_BCHW, batch.target_BCHW,
            cycle=4.0, identity=0.5, lr=UNPAIRED.lr, memory=memory, **common(UNPAIRED),
        )  # fmt: skip
        losses = one_step(system, batch)
        losses |= {name: losses[name] + losses[f"{name}_back"] for name in ("gan", "discriminator")}
        assert_equal_losses(losses, expected)
    for ours, theirs in zip(system.networks.values(), (there, back, judge, judge_back), strict=True):
        assert_equal_weights(ours, theirs)


@pytest.mark.parametrize("similarity", ["gka", "gcka", "ka", "mse"])
@pytest.mark.parametrize("recipe", [ALIGNED, replace(UNPAIRED, alignment=2.0)], ids=["paired", "unpaired"])
def test_distillation_steps(batch, similarity, recipe):
    recipe = replace(recipe, similarity=similarity)
    adapters = build_adapters([(8, 3)]).double() if similarity == "mse" else None
    system, teacher, _ = distillation(recipe, adapters=adapters)
    plain = copy.deepcopy({**system.networks, "teacher": teacher})
    memory: dict = {}
    for _ in range(3):
        expected = transcription.distillation_step(
            Tapped(plain["teacher"]), Tapped(plain["student"]), Logits(plain["discriminator"]), batch.input_BCHW,
            batch.target_BCHW, conditional=recipe.conditional, recon=recipe.recon, recon_to=recipe.recon_to,
            similarity=similarity, weight=2.0, lr=recipe.lr, adapters=plain.get("adapters"), memory=memory,
            **common(recipe),
        )  # fmt: skip
        losses = one_step(system, batch)
        distance = losses.pop("tap0")
        losses["alignment"] = distance if similarity == "mse" else distance - 1
        assert_equal_losses(losses, expected)
    for name in system.networks:
        assert_equal_weights(system.networks[name], plain[name])


def state(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def test_the_discriminator_collects_no_gradient_from_the_generators_step(batch):
    system = paired()
    judges, _ = system.phases
    collected = []
    update = judges.optimiser.step
    judge = system.networks["discriminator"]
    judges.optimiser.step = lambda: (collected.extend(p.grad.clone() for p in judge.parameters()), update())
    one_step(system, batch)
    after = [p.grad for p in judge.parameters()]
    assert len(collected) == len(after) > 0
    assert all(map(torch.equal, collected, after))
    assert all(p.requires_grad for p in judge.parameters())


def test_without_adversary_only_l1_is_learnt(batch):
    system = paired(replace(RECIPE, gan_weight=0.0, lr=1e-2))
    assert system.networks.keys() == {"generator"}
    losses = [one_step(system, batch) for _ in range(30)]
    assert losses[0].keys() == {"recon", "total"}
    assert losses[-1]["recon"] < 0.9 * losses[0]["recon"]


def test_feature_matching_alone_needs_a_discriminator_too(batch):
    system = paired(replace(RECIPE, gan_weight=0.0, feature_matching=1.0))
    assert one_step(system, batch).keys() == {"discriminator", "gan", "feature_matching", "recon", "total"}


def test_gaugan_has_two_time_scales():
    judges, learns = paired(GAUGAN, kind="multiscale", scales=2).phases
    assert [p.optimiser.param_groups[0]["lr"] for p in (judges, learns)] == [2 * GAUGAN.lr, GAUGAN.lr / 2]


def test_no_identity_no_pass_for_it(batch):
    system = unpaired(replace(UNPAIRED, identity=0.0))
    calls = []
    system.networks["generator"].register_forward_hook(lambda *_: calls.append(1))
    assert "identity" not in one_step(system, batch)
    assert len(calls) == 2  # there, and again after back


def test_the_discriminators_of_cyclegan_are_shown_earlier_images(batch):
    recipe = replace(UNPAIRED, pool=4)
    with_pool, without = unpaired(recipe), unpaired(UNPAIRED)
    losses = [[float(one_step(system, batch)["discriminator"]) for _ in range(6)] for system in (with_pool, without)]
    assert losses[0][:2] == pytest.approx(losses[1][:2])  # until it is full
    assert losses[0][2:] != pytest.approx(losses[1][2:])
    assert all(len(pool.state["images"]) == 4 for pool in with_pool.pools.values())


def test_the_teacher_stays_what_it_is_in_its_own_evaluation(batch):
    system, teacher, _ = distillation()
    teacher.norm.running_mean.fill_(0.3)
    before = state(teacher)
    own = teacher.eval()(batch.input_BCHW)
    teacher.train()
    for _ in range(3):
        one_step(system, batch)
    assert torch.equal(system.sample(batch)["teacher"], own)
    assert equal(state(teacher), before)
    assert not any(p.requires_grad or p.grad is not None for p in teacher.parameters())


@pytest.mark.parametrize("recipe", [replace(ALIGNED, alignment=0.0), replace(ALIGNED, similarity="none")])
def test_alignment_can_be_switched_off(batch, recipe):
    system, _, _ = distillation(recipe)
    assert "tap0" not in one_step(system, batch)


@pytest.mark.parametrize("similarity", ["gka", "gcka", "ka", "mse"])
def test_a_student_becomes_like_its_teacher(batch, similarity):
    alone = replace(ALIGNED, gan_weight=0.0, recon=0.0, similarity=similarity, lr=1e-2)
    system, _, _ = distillation(alone, adapters=build_adapters([(8, 3)]).double() if similarity == "mse" else None)
    distances = [one_step(system, batch)["tap0"].item() for _ in range(40)]
    assert distances[-1] < 0.5 * distances[0]


def test_a_student_without_pairs_learns_the_teachers_images(batch):
    alone = replace(UNPAIRED, gan_weight=0.0, lr=1e-2)
    system, teacher, student = distillation(alone)
    teacher.eval()

    def distance():
        return (student.eval()(batch.input_BCHW) - teacher(batch.input_BCHW)).abs().mean()

    before = distance()
    for _ in range(60):
        one_step(system, batch)
    assert distance() < 0.7 * before


def test_a_tapped_student_that_is_another_network_is_our_mistake():
    with pytest.raises(InternalError, match="share"):
        Distillation(
            student=TinyGenerator(),
            tapped_student=Tapped(TinyGenerator()),
            tapped_teacher=Tapped(TinyGenerator()),
            judge=Judge(discriminator(), ALIGNED),
            recipe=ALIGNED,
        )


def test_samples_are_taken_in_evaluation_mode_and_change_nothing(batch):
    system, _, student = distillation()
    one_step(system, batch)
    before = state(student)
    columns = system.sample(batch)
    assert list(columns) == ["input", "teacher", "student", "target"]
    assert equal(state(student), before)
    assert student.training
    assert torch.equal(columns["student"], student.eval()(batch.input_BCHW))
    assert list(paired().sample(batch)) == ["input", "teacher", "target"]
    assert list(distillation(UNPAIRED)[0].sample(batch)) == ["input", "teacher", "student"]
    assert list(unpaired().sample(batch))[:2] == ["input", "teacher"]


def test_a_step_is_in_training_mode_whatever_came_before(batch):
    system = paired()
    generator = system.networks["generator"].eval()
    before = generator.norm.running_mean.clone()
    one_step(system, batch)
    assert not torch.equal(generator.norm.running_mean, before)
