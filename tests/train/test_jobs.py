"""Teacher and student put together from settings, and what they refuse."""

import pytest
import torch

from catdsl.diagnostics import CatError
from catdsl.evaluate.quality import input_quality, mean_image_quality, measure_quality
from catdsl.semantics.settings import (
    DataSettings,
    DistillSettings,
    SpecSettings,
    StyleSettings,
    TrainSettings,
)
from catdsl.train.checkpoint import load_checkpoint
from catdsl.train.data.scenes import write_scenes
from catdsl.train.jobs import RunOptions, Tapped, distill_student, train_teacher, trained_weights
from catdsl.train.metrics import read_metrics
from tests.train.opened import opened
from tests.train.tiny_networks import Tapped as TappedNetwork
from tests.train.tiny_networks import TinyGenerator


def settings(*, train=None, distill=None):
    return SpecSettings(
        style=StyleSettings(norm="batch"),
        train=TrainSettings(**{"batch": 2, "ndf": 4, "discriminator_layers": 2} | (train or {})),
        distill=DistillSettings(**{"taps": ["stem"]} | (distill or {})),
        data=DataSettings(load=36, crop=32),
    )


SETTINGS = settings()


def distilled(paired, folder, teacher, *, using=SETTINGS, discriminator=None, resume=False, steps=3):
    student = TinyGenerator(width=3, seed=5)
    outcome = distill_student(
        student,
        paired,
        using,
        RunOptions(folder=folder, steps=steps, resume=resume),
        tapped=Tapped(student=TappedNetwork(student), teacher=TappedNetwork(teacher)),
        discriminator=discriminator,
    )
    return outcome, student


def test_teacher_then_student(tmp_path, paired):
    teacher = TinyGenerator()
    start = {k: v.clone() for k, v in teacher.state_dict().items()}
    outcome = train_teacher(teacher, paired, SETTINGS, RunOptions(folder=tmp_path / "t", steps=4))
    assert outcome.finished
    stored = trained_weights(tmp_path / "t", "generator")
    assert all(torch.equal(v, stored[k]) for k, v in teacher.state_dict().items())
    assert not torch.equal(stored["first.weight"], start["first.weight"])

    inherited = trained_weights(tmp_path / "t", "discriminator")
    outcome, student = distilled(paired, tmp_path / "s", teacher, discriminator=inherited)
    assert outcome.finished
    assert (tmp_path / "s" / "samples" / "step_000003.png").exists()
    assert "tap0" in read_metrics(tmp_path / "s" / "metrics.jsonl")[0]
    stored = trained_weights(tmp_path / "s", "student")
    assert all(torch.equal(v, stored[k]) for k, v in student.state_dict().items())


def test_the_students_discriminator_starts_from_the_teachers(tmp_path, paired):
    teacher = TinyGenerator()
    train_teacher(teacher, paired, SETTINGS, RunOptions(folder=tmp_path / "t", steps=2))
    inherited = trained_weights(tmp_path / "t", "discriminator")
    distilled(paired, tmp_path / "s", teacher, discriminator=inherited, steps=0)
    found = trained_weights(tmp_path / "s", "discriminator")
    assert all(torch.equal(v, inherited[k]) for k, v in found.items())


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (settings(train={"lr": 0.1}), "`lr` was 0.0002"),
        (settings(train={"gan": "lsgan"}), '`gan` was "hinge"'),
        (settings(distill={"weight": 2.0}), "`alignment` was 1.0"),
        (settings(distill={"taps": ["other"]}), "`taps`"),
    ],
)
def test_resuming_with_other_settings_names_them(tmp_path, paired, changed, named):
    distilled(paired, tmp_path, TinyGenerator())
    with pytest.raises(CatError) as caught:
        distilled(paired, tmp_path, TinyGenerator(), using=changed, resume=True)
    (found,) = caught.value.diagnostics
    assert found.code == "E604"
    assert named in found.message


def test_resuming_with_another_teacher_steps_or_data_is_refused(tmp_path, paired, scenes):
    distilled(paired, tmp_path, TinyGenerator())
    with pytest.raises(CatError, match=r"E604\]: `teacher weights`"):
        distilled(paired, tmp_path, TinyGenerator(seed=8), resume=True)
    with pytest.raises(CatError, match=r"E604\]: `steps` was 3 .* and is 4 now"):
        distilled(paired, tmp_path, TinyGenerator(), resume=True, steps=4)
    other = write_scenes(tmp_path / "data", count=10, size=(32, 32), seed=7, validation=3)
    data = opened(other, SETTINGS.data, size=(32, 32))
    with pytest.raises(CatError, match=r"E604\]: `data.files`"):
        distilled(data, tmp_path, TinyGenerator(), resume=True)


def test_how_often_something_is_saved_may_change(tmp_path, paired):
    distilled(paired, tmp_path, TinyGenerator())
    often = settings(train={"checkpoint_every": 1, "sample_every": 2})
    outcome, _ = distilled(paired, tmp_path, TinyGenerator(), using=often, resume=True)
    assert outcome.finished


def test_what_cannot_be_trained_is_refused_before_it_begins(tmp_path, paired):
    for using, code in (
        (settings(distill={"similarity": "ka", "batch": 1}), "E607"),
        (settings(distill={"batch": 11}), "E601"),
        (settings(train={"system": "cyclegan"}), "E607"),
        (settings(train={"discriminator_layers": 4}), "E607"),
    ):
        with pytest.raises(CatError, match=code):
            distilled(paired, tmp_path / "s", TinyGenerator(), using=using)
    assert not (tmp_path / "s").exists()


def test_a_discriminator_of_other_settings_does_not_fit(tmp_path, paired):
    train_teacher(TinyGenerator(), paired, SETTINGS, RunOptions(folder=tmp_path / "t", steps=0))
    inherited = trained_weights(tmp_path / "t", "discriminator")
    with pytest.raises(CatError, match=r"E605.*discriminator"):
        distilled(paired, tmp_path / "s", TinyGenerator(), using=settings(train={"ndf": 5}), discriminator=inherited)


def test_a_folder_without_the_wanted_run(tmp_path, paired):
    with pytest.raises(CatError, match=r"E603.*checkpoint.pt is missing"):
        trained_weights(tmp_path, "generator")
    train_teacher(TinyGenerator(), paired, SETTINGS, RunOptions(folder=tmp_path, steps=0))
    assert trained_weights(tmp_path, "student") is None


def test_without_an_adversarial_loss_there_is_no_discriminator(tmp_path, paired):
    """Nor what it would ask of a crop: 32 x 32 has too few pixels for 5 layers."""
    alone = settings(train={"gan_weight": 0.0, "discriminator_layers": 5})
    train_teacher(TinyGenerator(), paired, alone, RunOptions(folder=tmp_path / "t", steps=2))
    assert set(load_checkpoint(tmp_path / "t" / "checkpoint.pt").networks) == {"generator"}
    assert trained_weights(tmp_path / "t", "discriminator") is None
    judged = settings(train={"gan_weight": 0.0, "discriminator_layers": 1}, distill={"gan_weight": 1.0})
    distilled(paired, tmp_path / "s", TinyGenerator(), using=judged)
    assert "discriminator" in load_checkpoint(tmp_path / "s" / "checkpoint.pt").networks


@pytest.mark.slow
def test_a_small_teacher_beats_what_costs_nothing(tmp_path):
    """The embedded set can be learnt: even two convs do better than the mean image and the input."""
    folder = write_scenes(tmp_path / "data", count=100, size=(32, 32), seed=0, validation=20)
    data = opened(folder, DataSettings(), size=(32, 32))
    using = settings(train={"gan_weight": 0.0, "lr": 0.01, "batch": 8}).model_copy(update={"data": DataSettings()})
    teacher = TinyGenerator(width=32)
    train_teacher(teacher, data, using, RunOptions(folder=tmp_path / "t", steps=250))
    quality = measure_quality(teacher, data.validation).means
    assert quality.l1 < 0.6 * mean_image_quality(data).means.l1
    assert quality.l1 < 0.6 * input_quality(data).means.l1
