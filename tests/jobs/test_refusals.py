"""What is refused is refused before anything is made, and nothing that is there is lost."""

import hashlib
import shutil

import pytest
import torch
from PIL import Image
from torch._inductor.exc import InvalidCxxCompiler

from catdsl.files import write_bytes
from catdsl.jobs import beginning
from catdsl.jobs.run_folder import RunFolder
from catdsl.project import load
from catdsl.train import engine


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def changed(cli, **words):
    """The tiny spec under another name, with words replaced."""
    text = (cli.folder / "tiny.cat").read_text()
    for old, new in words.items():
        assert old in text
        text = text.replace(old, new)
    (cli.folder / "changed.cat").write_text(text)
    return "changed.cat"


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--device", "cuda:99"), "E607"),
        (("--device", "cpu:foo"), "E607"),
        (("--teacher", "absent"), "E603"),
        (("--data", "absent"), "E601"),
        (("--budget", "0.001%"), "E401"),
    ],
)
def test_wrong_flags_leave_no_run(cli, flags, code):
    told = cli("compress", "tiny.cat", "--budget", "50%", *flags, "-o", "run", "--steps", 2, code=1)
    assert code in told.stderr
    assert not (cli.folder / "run").exists()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("similarity = gka", "similarity = ka, batch = 1", "E607"),
        ("batch = 4", "batch = 4, accumulate = 3", "E607"),
        ("batch = 4", "batch = 4, precision = fp16", "E607"),
        ("batch = 4", "batch = 4, perceptual = 1", "E607"),
        ("batch = 4", "batch = 4, system = cyclegan", "E607"),
        ("batch = 4", "batch = 4, system = gaugan, discriminator_scales = 4, perceptual = 0", "E607"),
        ("weight = 1.0", "batch = 4000", "E601"),
        ("pad = reflect,", "pad = reflect, spectral = true,", "E607"),
        ("weight = 1.0", "epochs = 0, decay_epochs = 0", "E607"),
    ],
)
def test_a_distillation_that_must_fail_is_refused_before_the_teacher_trains(cli, old, new, code):
    told = cli("compress", changed(cli, **{old: new}), "--budget", "50%", "-o", "run", code=1)
    assert code in told.stderr
    assert not (cli.folder / "run").exists()


def test_a_run_that_was_killed_before_its_record_is_begun_again(cli):
    (cli.folder / "run" / "spec").mkdir(parents=True)
    (cli.folder / "run" / "spec" / f".catdsl-{'0' * 8}-{'0' * 24}.tmp").touch()
    cli("train", "tiny.cat", "-o", "run", "--steps", 2)
    assert (cli.folder / "run" / "run.json").exists()


@pytest.mark.parametrize("inside", ["tiny.cat", "other.cat", "notes.txt"])
def test_a_folder_of_specs_is_no_run_that_was_killed(cli, inside):
    """It holds only `spec/`, as such a run does, and what is in that is somebody's work."""
    theirs = cli.folder / "theirs" / "spec" / inside
    theirs.parent.mkdir(parents=True)
    theirs.write_text("somebody's")
    for words in (("train",), ("compress", "--budget", "50%")):
        told = cli(words[0], "tiny.cat", *words[1:], "--steps", 1, "-o", "theirs", code=1).stderr
        assert "theirs exists and holds no run of catdsl" in told
    assert [path.name for path in theirs.parent.iterdir()] == [inside]
    assert theirs.read_text() == "somebody's"


def test_a_run_is_not_continued_with_another_number_of_steps(cli):
    cli("train", "tiny.cat", "-o", "run", "--steps", 2)
    assert "steps" in cli("train", "tiny.cat", "-o", "run", "--resume", code=1).stderr
    (cli.folder / "run" / "run.json").write_text("{")
    assert "E604" in cli("train", "tiny.cat", "-o", "run", "--steps", 2, "--resume", code=1).stderr
    Image.new("RGB", (16, 16)).save(cli.folder / "a.png")
    assert "E604" in cli("translate", "run", "a.png", "-o", "made", code=1).stderr


def test_plan_does_not_write_over_its_spec(cli):
    cli("train", "tiny.cat", "-o", "run", "--steps", 2)
    before = digest(cli.folder / "tiny.cat")
    told = cli("plan", "tiny.cat", "--budget", "50%", "--teacher", "run", "-o", "tiny.cat", code=1)
    assert "E608" in told.stderr
    assert digest(cli.folder / "tiny.cat") == before

    # A student program stands for its spec in a plan, and is refused where a teacher is trained.
    cli("plan", "tiny.cat", "--budget", "50%", "--teacher", "run", "-o", "student.cat")
    cli("plan", "student.cat", "--budget", "30%", "--teacher", "run", "-o", "smaller.cat")
    assert load(cli.folder / "smaller.cat").cost.exact < load(cli.folder / "student.cat").cost.exact
    assert "E405" in cli("train", "student.cat", "-o", "other", "--steps", 2, code=1).stderr
    both = cli("plan", "tiny.cat", "--budget", "50%", "--teacher", "run", "--scores", "x.npz", code=1)
    assert "not both" in both.stderr

    # `info` shows both, and the widths are those of the spec.
    assert "student " in cli("info", "student.cat").stdout
    told = cli("distill", changed(cli, **{"kernels = [1, 3]": "kernels = [1, 5]"}), "--student", "student.cat",
               "--teacher", "run", "-o", "third", code=1)  # fmt: skip
    assert "E405" in told.stderr


def test_translate_spares_the_images_that_it_reads(cli):
    cli("train", "tiny.cat", "-o", "run", "--steps", 2)
    photos = cli.folder / "photos"
    photos.mkdir()
    Image.new("RGB", (16, 16), (9, 9, 9)).save(photos / "a.png")
    Image.new("RGB", (1, 1), (9, 9, 9)).save(photos / "b.png")
    before = digest(photos / "a.png")
    assert "E608" in cli("translate", "run", "photos", "-o", "photos", code=1).stderr
    assert digest(photos / "a.png") == before
    told = cli("translate", "run", "photos", "-o", "made", code=1)
    assert "too small" in told.stderr
    assert (cli.folder / "made" / "a.png").exists()
    shutil.rmtree(photos)


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), "E606", "lower --batch"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "E606", "lower --batch"),
        (InvalidCxxCompiler(), "E607", "compile = false"),
    ],
)
def test_what_the_machine_cannot_do_is_no_fault_of_catdsl(cli, monkeypatch, raised, code, said):
    def fails(*_, **__):
        raise raised

    monkeypatch.setattr(engine, "train_step", fails)
    told = cli("train", "tiny.cat", "-o", "run", code=1)
    assert code in told.stderr
    assert said in told.stderr


def test_any_other_error_of_torch_is_reported_as_ours(cli, monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(engine, "train_step", fails)
    assert "fault of catdsl" in cli("train", "tiny.cat", "-o", "run", code=70).stderr


def test_a_stray_rank_in_the_environment_silences_nothing(cli, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    assert "E210" in cli("check", "gone.cat", code=1).stderr


@pytest.mark.parametrize("name", ['a "quoted" one.cat', "two\nlines.cat", "back\\slash.cat"])
def test_a_spec_whose_name_a_student_could_not_write_is_refused_at_once(cli, name):
    shutil.copy(cli.folder / "tiny.cat", cli.folder / name)
    told = cli("train", name, "-o", "run", "--steps", 1, code=1)
    assert "E603" in told.stderr
    assert "another name" in told.stderr
    assert not (cli.folder / "run").exists()


def test_a_spec_that_was_only_renamed_is_copied_under_its_new_name(cli):
    cli("train", "tiny.cat", "-o", "run", "--steps", 2)
    (cli.folder / "tiny.cat").rename(cli.folder / "moved.cat")
    cli("train", "moved.cat", "-o", "run", "--steps", 3, "--resume", "--accept-changes")
    cli("evaluate", "run")


def test_a_change_that_nothing_comes_of_is_undone(cli):
    """The discriminator of the checkpoint has other shapes: the record is that of the run as it is, and it goes on."""
    command = ("train", "tiny.cat", "-o", "run", "--steps", 4)
    cli(*command)
    kept = {path: path.read_bytes() for path in (cli.folder / "run" / "spec").rglob("*") if path.is_file()}
    kept[cli.folder / "run" / "run.json"] = (cli.folder / "run" / "run.json").read_bytes()
    spec = (cli.folder / "tiny.cat").read_text()
    (cli.folder / "tiny.cat").write_text(spec.replace("ndf = 4", "ndf = 8"))
    told = cli(*command, "--resume", "--accept-changes", code=1).stderr
    assert "other networks" in told
    assert {path: path.read_bytes() for path in kept} == kept
    (cli.folder / "tiny.cat").write_text(spec)
    cli(*command, "--resume")


def test_a_change_that_something_came_of_stays(cli):
    cli("train", "tiny.cat", "-o", "run", "--steps", 2)
    run = cli.folder / "run"
    before = beginning._Before.of(RunFolder(run))
    (run / "spec" / "tiny.cat").write_text("changed")
    checkpoint = run / "teacher" / "checkpoint.pt"
    write_bytes(checkpoint, checkpoint.read_bytes())
    before.put_back()
    assert (run / "spec" / "tiny.cat").read_text() == "changed"


def test_a_run_that_is_gone_is_not_put_back(cli):
    run = cli.begun()
    before = beginning._Before.of(RunFolder(run))
    shutil.rmtree(run)
    before.put_back()
    assert not run.exists()
