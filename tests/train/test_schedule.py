"""Recipes fill the gaps of the settings; schedules turn epochs into a rate per step."""

import pytest

from catdsl.semantics.settings import DistillSettings, TrainSettings
from catdsl.train.recipe import student_recipe, teacher_recipe
from catdsl.train.schedule import Schedule, plan_schedule
from tests.train.transcription import constant_then_cosine, constant_then_linear

TRAIN = TrainSettings(epochs=3, decay_epochs=2, batch=4, lr=1e-3, gan="hinge", recon=10.0, gan_weight=0.5)


def test_constant_then_linear_to_zero():
    schedule = plan_schedule(teacher_recipe(TRAIN), steps_per_epoch=10)
    assert schedule == Schedule(constant=30, decay=20)
    assert [schedule.factor(s) for s in (0, 29, 30)] == [1, 1, 1]
    assert [schedule.factor(s) for s in (35, 40, 49, 50)] == pytest.approx([0.75, 0.5, 0.05, 0])


def test_a_number_of_steps_keeps_the_proportion():
    assert plan_schedule(teacher_recipe(TRAIN), steps_per_epoch=10, steps=100) == Schedule(60, 40)
    assert plan_schedule(teacher_recipe(TRAIN), steps_per_epoch=10, steps=1).total_steps == 1


@pytest.mark.parametrize(("epochs", "decay", "expected"), [(0, 4, Schedule(0, 8)), (4, 0, Schedule(8, 0))])
def test_a_phase_may_be_missing(epochs, decay, expected):
    recipe = teacher_recipe(TrainSettings(epochs=epochs, decay_epochs=decay))
    schedule = plan_schedule(recipe, steps_per_epoch=2)
    assert schedule == expected
    assert all(0 < schedule.factor(s) <= 1 for s in range(schedule.total_steps))
    assert schedule.factor(schedule.total_steps) == 0


def test_a_student_without_epochs_is_not_trained_unless_steps_say_so():
    recipe = student_recipe(DistillSettings(similarity="none", epochs=0, decay_epochs=0), TRAIN)
    assert plan_schedule(recipe, steps_per_epoch=10).total_steps == 0
    assert plan_schedule(recipe, steps_per_epoch=10, steps=7) == Schedule(7, 0)


def test_what_distill_leaves_open_is_the_teachers():
    student = student_recipe(DistillSettings(taps=("stem",), weight=1.3), TRAIN)
    teacher = teacher_recipe(TRAIN)
    for name in ("gan", "gan_weight", "recon", "epochs", "decay_epochs", "batch", "lr", "betas"):
        assert getattr(student, name) == getattr(teacher, name)
    assert (student.similarity, student.alignment, student.aligns) == ("gka", 1.3, True)
    assert not teacher.aligns


def test_what_distill_says_holds_even_when_it_is_zero():
    said = DistillSettings(similarity="none", gan_weight=0, recon=5, epochs=0, decay_epochs=9, batch=2, lr=0.01)
    student = student_recipe(said, TRAIN)
    assert (student.gan_weight, student.recon, student.epochs, student.decay_epochs) == (0, 5, 0, 9)
    assert (student.batch, student.lr, student.aligns) == (2, 0.01, False)


@pytest.mark.parametrize("fall", ["linear", "cosine"])
def test_the_falls_are_those_of_the_formulas(fall):
    recipe = teacher_recipe(TrainSettings(epochs=2, decay_epochs=3, schedule=fall))
    schedule = plan_schedule(recipe, steps_per_epoch=4)
    plain = {"linear": constant_then_linear, "cosine": constant_then_cosine}[fall]
    for step in range(21):
        assert schedule.factor(step) == pytest.approx(plain(2, 3, 4, step), abs=1e-12)


def test_each_system_has_its_published_recipe():
    cyclegan, gaugan, pix2pix = (teacher_recipe(TrainSettings(system=s)) for s in ("cyclegan", "gaugan", "pix2pix"))
    assert (cyclegan.gan, cyclegan.cycle, cyclegan.identity, cyclegan.pool) == ("lsgan", 10, 0.5, 50)
    assert (gaugan.gan, gaugan.recon, gaugan.feature_matching, gaugan.perceptual) == ("hinge", 0, 10, 10)
    assert (gaugan.generator_lr, gaugan.discriminator_lr, gaugan.betas) == (1e-4, 4e-4, (0.0, 0.9))
    assert (pix2pix.gan, pix2pix.recon, pix2pix.generator_lr, pix2pix.discriminator_lr) == ("hinge", 100, 2e-4, 2e-4)
    assert TrainSettings(system="gaugan", gan="lsgan", ttur=False).gan == "lsgan"


def test_a_student_without_pairs_learns_from_the_teachers_images():
    said = DistillSettings(similarity="none")
    assert student_recipe(said, TrainSettings(system="cyclegan")).recon_to == "teacher"
    assert student_recipe(said, TrainSettings(system="cyclegan")).recon == 5
    assert student_recipe(said, TRAIN).recon_to == "target"
    assert student_recipe(DistillSettings(similarity="none", recon_to="teacher"), TRAIN).recon_to == "teacher"
