"""One training step of each system, against the same step written out plainly."""

import copy

import pytest
import torch
from torch.nn.functional import l1_loss

from catdsl.diagnostics import InternalError
from catdsl.train.data.batches import Batch
from catdsl.train.discriminator import build_discriminator
from catdsl.train.losses.alignment import gka
from catdsl.train.recipe import Recipe
from catdsl.train.systems.distillation import Distillation
from catdsl.train.systems.pix2pix import Pix2Pix
from tests.train.tiny_networks import Tapped, TinyGenerator

RECIPE = Recipe(gan="lsgan", gan_weight=0.7, recon=3.0, epochs=1, decay_epochs=0, batch=2, lr=1e-2, betas=(0.5, 0.9))
ALIGNED = Recipe(**{name: getattr(RECIPE, name) for name in RECIPE.__slots__} | {"similarity": "gka", "alignment": 2.0})


@pytest.fixture
def batch():
    numbers = torch.Generator().manual_seed(0)
    return Batch(*(torch.rand(2, 3, 32, 32, generator=numbers) * 2 - 1 for _ in range(2)))


def judge():
    return build_discriminator(channels=6, size=(32, 32), width=4, layers=2, seed=0)


def state(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def plain_step(generator, discriminator, batch, *, extra=lambda taps: 0.0):
    """Discriminator, then generator, as in the paper; lsgan written out. Returns the losses."""
    x, y = batch.input_BCHW, batch.target_BCHW
    options = {"lr": 1e-2, "betas": (0.5, 0.9)}
    fake, taps = Tapped(generator)(x)
    d_optimiser = torch.optim.Adam(discriminator.parameters(), **options)
    real_logits, fake_logits = (discriminator(torch.cat((x, i), 1)) for i in (y, fake.detach()))
    d_loss = 0.5 * (((real_logits - 1) ** 2).mean() + (fake_logits**2).mean())
    d_loss.backward()
    d_optimiser.step()
    g_optimiser = torch.optim.Adam(generator.parameters(), **options)
    gan = ((discriminator(torch.cat((x, fake), 1)) - 1) ** 2).mean()
    recon = l1_loss(fake, y)
    total = 3.0 * recon + 0.7 * gan + extra(taps)
    total.backward()
    g_optimiser.step()
    return {"discriminator": d_loss, "gan": gan, "recon": recon, "total": total}


def test_a_pix2pix_step(batch):
    generator, discriminator = TinyGenerator(), judge()
    plain_generator, plain_discriminator = copy.deepcopy((generator, discriminator))
    expected = plain_step(plain_generator, plain_discriminator, batch)
    losses = Pix2Pix(generator, discriminator, RECIPE).train_step(batch)
    assert losses.keys() == expected.keys()
    for name, value in losses.items():
        assert value.item() == pytest.approx(expected[name].item(), rel=1e-5), name
        assert not value.requires_grad
    for mine, theirs in ((generator, plain_generator), (discriminator, plain_discriminator)):
        for name, tensor in mine.state_dict().items():
            assert torch.allclose(tensor, theirs.state_dict()[name], rtol=1e-4, atol=1e-6), name


def test_the_discriminator_collects_no_gradient_from_the_generators_step(batch):
    discriminator = judge()
    system = Pix2Pix(TinyGenerator(), discriminator, RECIPE)
    collected = []
    update = system.optimisers["discriminator"].step
    system.optimisers["discriminator"].step = lambda: (
        collected.extend(p.grad.clone() for p in discriminator.parameters()),
        update(),
    )
    system.train_step(batch)
    after = [p.grad for p in discriminator.parameters()]
    assert all(map(torch.equal, collected, after))
    assert all(p.requires_grad for p in discriminator.parameters())


def test_without_adversary_only_l1_is_learnt(batch):
    generator, discriminator = TinyGenerator(), judge()
    before = state(discriminator)
    recipe = Recipe(**{n: getattr(RECIPE, n) for n in RECIPE.__slots__} | {"gan_weight": 0.0})
    system = Pix2Pix(generator, discriminator, recipe)
    losses = [system.train_step(batch) for _ in range(30)]
    assert losses[0].keys() == {"recon", "total"}
    assert losses[-1]["recon"] < 0.9 * losses[0]["recon"]
    assert equal(state(discriminator), before)


def distillation(*, student_width=3, recipe=ALIGNED):
    teacher, student = TinyGenerator(width=8, seed=1), TinyGenerator(width=student_width, seed=2)
    system = Distillation(
        student=student,
        tapped_student=Tapped(student),
        tapped_teacher=Tapped(teacher),
        discriminator=judge(),
        recipe=recipe,
    )
    return system, teacher, student


def test_a_distillation_step(batch):
    system, teacher, student = distillation()
    plain_student, plain_judge = copy.deepcopy((student, system.networks["discriminator"]))
    with torch.no_grad():
        _, (teacher_tap,) = Tapped(copy.deepcopy(teacher).eval())(batch.input_BCHW)
    expected = plain_step(plain_student, plain_judge, batch, extra=lambda taps: -2.0 * gka(teacher_tap, taps[0]))
    losses = system.train_step(batch)
    assert losses.keys() == expected.keys() | {"tap0"}
    for name, value in expected.items():
        assert losses[name].item() == pytest.approx(value.item(), rel=1e-5), name
    assert 0 < losses["tap0"].item() < 1
    for name, tensor in student.state_dict().items():
        assert torch.allclose(tensor, plain_student.state_dict()[name], rtol=1e-4, atol=1e-6), name


def test_the_teacher_stays_what_it_is_in_its_own_evaluation(batch):
    system, teacher, _ = distillation()
    teacher.norm.running_mean.fill_(0.3)
    before = state(teacher)
    own = teacher.eval()(batch.input_BCHW)
    teacher.train()
    for _ in range(3):
        system.train_step(batch)
    assert torch.equal(system.sample(batch)["teacher"], own)
    assert equal(state(teacher), before)
    assert not any(p.requires_grad or p.grad is not None for p in teacher.parameters())


def test_alignment_can_be_switched_off(batch):
    none = Recipe(**{n: getattr(ALIGNED, n) for n in ALIGNED.__slots__} | {"alignment": 0.0})
    system, _, _ = distillation(recipe=none)
    assert "tap0" not in system.train_step(batch)


def test_a_student_aligns_with_its_teacher(batch):
    alone = Recipe(**{n: getattr(ALIGNED, n) for n in ALIGNED.__slots__} | {"gan_weight": 0.0, "recon": 0.0})
    system, _, _ = distillation(recipe=alone)
    distances = [system.train_step(batch)["tap0"].item() for _ in range(40)]
    assert distances[-1] < 0.5 * distances[0]


def test_a_tapped_student_that_is_another_network_is_our_mistake():
    student = TinyGenerator()
    with pytest.raises(InternalError, match="share"):
        Distillation(
            student=student,
            tapped_student=Tapped(TinyGenerator()),
            tapped_teacher=Tapped(TinyGenerator()),
            discriminator=judge(),
            recipe=ALIGNED,
        )


def test_samples_are_taken_in_evaluation_mode_and_change_nothing(batch):
    system, teacher, student = distillation()
    system.train_step(batch)
    before = state(student)
    columns = system.sample(batch)
    assert list(columns) == ["input", "teacher", "student", "target"]
    assert equal(state(student), before)
    assert student.training
    assert torch.equal(columns["student"], student.eval()(batch.input_BCHW))
    pix2pix = Pix2Pix(teacher, judge(), RECIPE)
    assert list(pix2pix.sample(batch)) == ["input", "teacher", "target"]


def test_a_step_is_in_training_mode_whatever_came_before(batch):
    generator = TinyGenerator()
    system = Pix2Pix(generator, judge(), RECIPE)
    generator.eval()
    before = generator.norm.running_mean.clone()
    system.train_step(batch)
    assert not torch.equal(generator.norm.running_mean, before)
