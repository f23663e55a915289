"""The three systems from spec and folder to a compressed run, and what surrounds them."""

import json
import signal
import subprocess
import time

import numpy as np
import pytest
import torch
from PIL import Image

from catdsl.backend.weights import module_with_weights
from catdsl.project import load
from catdsl.train import engine
from catdsl.train.checkpoint import load_checkpoint
from catdsl.train.data.images import read_image, to_pixels, write_image
from catdsl.train.losses.perceptual import Perceptual
from catdsl.train.run_settings import weights_digest
from tests.jobs.systems import write_images, write_spec
from tests.train.transcription import constant_then_linear

SYSTEMS = ("pix2pix", "cyclegan", "gaugan")


@pytest.fixture(params=SYSTEMS)
def system(request, cli):
    write_spec(cli.folder, request.param)
    write_images(cli.folder / "images", request.param)
    return request.param


def result(cli, run="run"):
    return json.loads((cli.folder / run / "result.json").read_text())


def test_each_system_is_compressed(cli, system):
    done = cli("compress", f"{system}.cat", "--data", "images", "-o", "run", "--steps", 8)
    assert "L1 to teacher" in done.stdout
    found = result(cli)
    assert found["student"]["macs"]["exact"] <= 0.6 * found["teacher"]["macs"]["exact"]
    assert found["student"]["to_teacher"]["images"] == 3
    baselines = {"pix2pix": {"mean image", "input"}, "gaugan": {"mean image"}, "cyclegan": set()}
    assert set(found.get("baselines", {})) == baselines[system]
    assert ("input" in found.get("baselines_to_teacher", {})) == (system == "cyclegan")
    assert (found["teacher"]["quality"] is None) == (system == "cyclegan")
    run = cli.folder / "run"
    assert (run / "comparison.png").stat().st_size > 1000
    for part in ("teacher", "student"):
        assert [p.name for p in sorted((run / part / "samples").iterdir())] == ["step_000007.png", "step_000008.png"]
    last = json.loads((run / "student" / "metrics.jsonl").read_text().splitlines()[-1])
    assert {"tap0", "tap1", "total"} <= last.keys()


def test_the_teacher_inside_distillation_makes_the_images_of_translate(cli, monkeypatch):
    """With batch norms, whose statistics must be the teacher's own."""
    write_spec(cli.folder, "pix2pix")
    write_images(cli.folder / "images", "pix2pix")
    drawn = []
    monkeypatch.setattr(engine, "write_grid", lambda path, columns: drawn.append((path, columns)))
    cli("compress", "pix2pix.cat", "--data", "images", "-o", "run", "--steps", 7)
    columns = next(columns for path, columns in drawn if "student" in str(path))
    for index, image in enumerate(columns["input"]):
        write_image(cli.folder / "inputs" / f"{index}.png", image)
    cli("translate", "run", "inputs", "-o", "outputs", "--use-teacher")
    for index, image in enumerate(columns["teacher"]):
        translated = to_pixels(read_image(cli.folder / "outputs" / f"{index}.png", 3))
        # A batch may be summed in another order than a single image: by a rounding, to 1 of 255.
        assert abs(translated.astype(int) - to_pixels(image).astype(int)).max() <= 1


def test_either_direction_of_cyclegan_is_compressed_from_one_teacher(cli):
    write_spec(cli.folder, "cyclegan")
    write_images(cli.folder / "images", "cyclegan")
    cli("train", "cyclegan.cat", "--data", "images", "-o", "teacher", "--steps", 6)
    for direction, name in (("a_to_b", "weights"), ("b_to_a", "weights_back")):
        cli(
            "compress", "cyclegan.cat", "--set", f"direction={direction}", "--data", "images", "--teacher", "teacher",
            "-o", direction, "--steps", 4,
        )  # fmt: skip
        graph = load(cli.folder / "cyclegan.cat", {"direction": direction}).teacher_graph
        module = module_with_weights(graph, cli.folder / "teacher" / "teacher" / f"{name}.safetensors")
        asked = json.loads((cli.folder / direction / "run.json").read_text())["asked"]
        assert asked["teacher"] == weights_digest(module)
    first, second = ((cli.folder / d / "student" / "weights.safetensors").read_bytes() for d in ("a_to_b", "b_to_a"))
    assert first != second


def falling(steps):
    """The shares of the rate over a run of so many steps, by the published epochs of pix2pix."""
    constant = round(steps * 500 / 1250)
    return [constant_then_linear(constant, steps - constant, 1, step) for step in range(steps)]


@pytest.mark.parametrize(
    ("system", "old", "new", "said"),
    [
        ("cyclegan", "kind = unpaired", "kind = paired", "set kind = unpaired"),
        ("pix2pix", "kind = paired", "kind = unpaired", "set system = cyclegan"),
        ("gaugan", "kind = labels", "kind = paired", "kind = labels"),
        ("pix2pix", "kind = paired", "kind = labels", "labels("),
        ("gaugan", "perceptual = 0", "perceptual = 10", "--vgg"),
        ("cyclegan", "similarity = ka", "similarity = ka, recon_to = target", "recon_to"),
        ("cyclegan", "floor = 2", "floor = 2, score = taylor", "taylor"),
        ("gaugan", "ignore = 9", "flip = true", "ignore"),
        ("gaugan", "labels(4", "labels(3", "holds label 3"),
        ("cyclegan", "image(3", "image(1", "same size and channels"),
        ("cyclegan", "pool = 5", "pool = 5, feature_matching = 1", "means nothing to system = cyclegan"),
        ("pix2pix", "discriminator_layers = 1", "pool = 5", "means nothing to system = pix2pix"),
        ("pix2pix", "discriminator_layers = 1", "gan_weight = 0, recon = 0", "learn nothing"),
        ("cyclegan", "pool = 5", "gan_weight = 0, cycle = 0", "learn nothing"),
        ("gaugan", "batch = 2", "batch = 11", "batch of 11"),
    ],
)
def test_what_does_not_fit_together_is_refused(cli, system, old, new, said):
    path = write_spec(cli.folder, system)
    write_images(cli.folder / "images", system)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    told = cli("compress", path, "--data", "images", "-o", "run", "--steps", 2, code=1)
    assert said in told.stderr
    assert not (cli.folder / "run").exists()


def test_a_wrong_vgg_file_is_refused(cli):
    path = write_spec(cli.folder, "gaugan")
    write_images(cli.folder / "images", "gaugan")
    path.write_text(path.read_text().replace("perceptual = 0", "perceptual = 1"))
    torch.save({"features.0.weight": torch.zeros(1)}, cli.folder / "vgg.pth")
    for file in ("vgg.pth", "nothing.pth"):
        told = cli("train", path, "--data", "images", "-o", "run", "--vgg", file, code=1)
        assert "E605" in told.stderr
        assert "VGG-19" in told.stderr
    assert not (cli.folder / "run").exists()


def test_a_changed_spec_is_shown_and_refused_unless_told(cli):
    path = write_spec(cli.folder, "pix2pix")
    write_images(cli.folder / "images", "pix2pix")
    cli("train", path, "--data", "images", "-o", "run", "--steps", 6)
    path.write_text(path.read_text().replace("lr = 1e-3", "lr = 5e-4"))
    again = ("train", path, "--data", "images", "-o", "run", "--steps", 9, "--resume")
    told = cli(*again, code=1)
    assert "pix2pix.cat: -train" in told.stderr
    assert "pix2pix.cat: +train" in told.stderr
    assert "lr = 5e-4" in told.stderr
    assert "steps: 6 before, 9 now" in told.stderr
    assert "--accept-changes" in told.stderr
    cli(*again, "--accept-changes")
    metrics = (cli.folder / "run" / "teacher" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in metrics] == list(range(1, 10))
    rates = [json.loads(line)["lr"] for line in metrics]
    # Nine steps now, the first 40 % of them at the full rate: the seventh is the fourth of five that fall.
    assert rates[6:] == pytest.approx([5e-4 * share for share in falling(9)[6:]])
    assert "lr = 5e-4" in (cli.folder / "run" / "spec" / "pix2pix.cat").read_text()
    cli(*again)


def test_label_maps_are_translated(cli):
    write_spec(cli.folder, "gaugan")
    images = write_images(cli.folder / "images", "gaugan") / "train"
    cli("train", "gaugan.cat", "--data", "images", "-o", "run", "--steps", 4)
    cli("translate", "run", images / "label", "-o", "made", "--use-teacher")
    assert len(list((cli.folder / "made").iterdir())) == 13
    assert read_image(cli.folder / "made" / "00.png", 3).shape == (3, 20, 20)
    # Without borders between instances it is another picture.
    before = (cli.folder / "made" / "03.png").read_bytes()
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(images / "instance" / "03.png")
    cli("translate", "run", images / "label" / "03.png", "-o", "again", "--use-teacher")
    assert (cli.folder / "again" / "03.png").read_bytes() != before


@pytest.mark.parametrize(
    ("file", "said"),
    [("photo/00.png", "has colours"), ("label/00.png", "no instance map"), ("label/01.png", "label 7")],
)
def test_files_that_are_no_label_maps_are_named(cli, file, said):
    write_spec(cli.folder, "gaugan")
    images = write_images(cli.folder / "images", "gaugan") / "train"
    cli("train", "gaugan.cat", "--data", "images", "-o", "run", "--steps", 1)
    (images / "instance" / "00.png").unlink()
    Image.fromarray(np.full((20, 20), 7, np.uint8)).save(images / "label" / "01.png")
    told = cli("translate", "run", images / file, "-o", "made", "--use-teacher", code=1)
    assert "E602" in told.stderr
    assert said in told.stderr
    assert not (cli.folder / "made").exists()


@pytest.mark.slow
def test_two_processes_make_what_one_makes(cli):
    """Up to rounding: the batch norms of this spec take in the images of all processes."""
    path = write_spec(cli.folder, "pix2pix")
    write_images(cli.folder / "images", "pix2pix")
    path.write_text(path.read_text().replace("dropout(0.3)", "dropout(0.0)").replace("lr =", "sync_norm = true, lr ="))
    command = ["compress", path.name, "--data", "images", "--steps", "6"]
    cli(*command, "-o", "one")
    assert cli.start(*command, "-o", "two", "--devices", "2").wait(timeout=120) == 0
    one, two = ((cli.folder / run / "teacher" / "metrics.jsonl").read_text().splitlines() for run in ("one", "two"))
    assert len(one) == len(two) == 6
    for line, other in zip(one, two, strict=True):
        first, second = json.loads(line), json.loads(other)
        for name in ("discriminator", "gan", "recon"):
            assert second[name] == pytest.approx(first[name], rel=1e-3, abs=1e-4), name
    assert {p.name for p in (cli.folder / "one").iterdir()} == {p.name for p in (cli.folder / "two").iterdir()}


@pytest.mark.slow
def test_processes_stop_together_and_go_on(cli):
    """Also with another number of processes: only one of them stops, is told, and saves."""
    path = write_spec(cli.folder, "gaugan")
    write_images(cli.folder / "images", "gaugan")
    command = ["train", path.name, "--data", "images", "--steps", "600", "-o", "run"]
    process = cli.start(*command, "--devices", "2")
    metrics = cli.folder / "run" / "teacher" / "metrics.jsonl"
    until = time.monotonic() + 100
    while not metrics.exists() or metrics.read_text().count("\n") < 10:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 1
    steps = metrics.read_text().count("\n")
    assert load_checkpoint(cli.folder / "run" / "teacher" / "checkpoint.pt").step == steps < 600
    cli(*command, "--steps", steps + 3, "--resume", "--accept-changes")
    assert metrics.read_text().count("\n") == steps + 3


@pytest.mark.slow
def test_a_batch_that_processes_cannot_share_is_refused(cli):
    path = write_spec(cli.folder, "pix2pix")
    write_images(cli.folder / "images", "pix2pix")
    process = cli.start("train", path.name, "--data", "images", "-o", "run", "--devices", "3")
    assert process.wait(timeout=120) == 1
    assert not (cli.folder / "run").exists()


def test_another_budget_is_taken_until_the_student_has_begun(cli):
    path = write_spec(cli.folder, "pix2pix")
    write_images(cli.folder / "images", "pix2pix")
    command = ("compress", path, "--data", "images", "--steps", 4)
    cli(*command, "-o", "run")
    record = (cli.folder / "run" / "run.json").read_text()
    told = cli(*command, "-o", "run", "--budget", "40%", "--resume", "--accept-changes", code=1)
    assert "E604" in told.stderr
    assert "other widths" in told.stderr
    assert (cli.folder / "run" / "run.json").read_text() == record
    for part in (cli.folder / "run" / "student").iterdir():
        if part.is_file():
            part.unlink()
    cli(*command, "-o", "run", "--budget", "40%", "--resume", "--accept-changes")
    found = result(cli)
    assert found["student"]["macs"]["exact"] <= 0.4 * found["teacher"]["macs"]["exact"]
    assert load(cli.folder / "run" / "student.cat").cost.exact == found["student"]["macs"]["exact"]


def test_label_maps_may_lie_by_role_and_then_by_split(cli):
    write_spec(cli.folder, "gaugan")
    images = write_images(cli.folder / "images", "gaugan")
    for role in ("photo", "label", "instance"):
        (images / role).mkdir()
        (images / "train" / role).rename(images / role / "train")
    cli("train", "gaugan.cat", "--data", "images", "-o", "run", "--steps", 1)
    cli("translate", "run", images / "label" / "train", "-o", "made", "--use-teacher")
    assert len(list((cli.folder / "made").iterdir())) == 13


@pytest.mark.parametrize(("before", "after"), [("mse", "gka"), ("gka", "mse")])
def test_another_similarity_is_taken_on_when_it_is_accepted(cli, before, after):
    """With `mse` the student's optimiser trains adapters, too."""
    path = write_spec(cli.folder, "pix2pix")
    write_images(cli.folder / "images", "pix2pix")
    text = path.read_text().replace("similarity = mse", f"similarity = {before}")
    path.write_text(text)
    cli("compress", path, "--data", "images", "-o", "run", "--steps", 4)
    path.write_text(text.replace(f"similarity = {before}", f"similarity = {after}"))
    cli("compress", path, "--data", "images", "-o", "run", "--steps", 6, "--resume", "--accept-changes")
    checkpoint = load_checkpoint(cli.folder / "run" / "student" / "checkpoint.pt")
    assert checkpoint.step == 6
    assert ("adapters" in checkpoint.networks) == (after == "mse")


def test_other_crops_are_taken_on_when_they_are_accepted(cli):
    """The pool of a CycleGAN holds images of the old size."""
    path = write_spec(cli.folder, "cyclegan")
    write_images(cli.folder / "images", "cyclegan")
    cli("train", path, "--data", "images", "-o", "run", "--steps", 6)
    path.write_text(path.read_text().replace("crop = 16", "crop = 12"))
    cli("train", path, "--data", "images", "-o", "run", "--steps", 12, "--resume", "--accept-changes")
    pools = load_checkpoint(cli.folder / "run" / "teacher" / "checkpoint.pt").pools
    assert pools["pool"]["images"].shape[1:] == (3, 12, 12)


def test_too_few_layers_of_a_discriminator_are_refused_before_a_run_is_made(cli):
    path = write_spec(cli.folder, "gaugan")
    write_images(cli.folder / "images", "gaugan")
    path.write_text(path.read_text().replace("discriminator_layers = 2", "discriminator_layers = 1"))
    told = cli("train", path, "--data", "images", "-o", "run", code=1)
    assert "E607" in told.stderr
    assert not (cli.folder / "run").exists()


@pytest.mark.slow
def test_what_one_of_two_processes_cannot_read_is_told(cli):
    """All processes look at the data; whichever finds a mistake first must not end in silence."""
    path = write_spec(cli.folder, "pix2pix")
    images = write_images(cli.folder / "images", "pix2pix")
    (images / "train" / "03.png").write_bytes(b"no image")
    process = cli.start("train", path.name, "--data", "images", "-o", "run", "--devices", "2", stderr=subprocess.PIPE)
    told = process.communicate(timeout=120)[1].decode()
    assert process.returncode == 1
    assert "E602" in told
    assert "03.png" in told


@pytest.mark.slow
def test_under_torchrun(cli):
    path = write_spec(cli.folder, "pix2pix")
    write_images(cli.folder / "images", "pix2pix")
    command = ["train", path.name, "--data", "images", "-o", "run", "--steps", "3"]
    launched = cli.start(*command, launcher=("torch.distributed.run", "--nproc-per-node", "2", "-m"))
    assert launched.wait(timeout=120) == 0
    assert (cli.folder / "run" / "teacher" / "weights.safetensors").exists()
    assert (cli.folder / "run" / "teacher" / "metrics.jsonl").read_text().count("\n") == 3


@pytest.mark.slow
def test_the_perceptual_loss_of_a_weights_file(cli):
    """Random weights of VGG-19's form: for teacher and student, and through a resumed run."""
    path = write_spec(cli.folder, "gaugan")
    write_images(cli.folder / "images", "gaugan")
    path.write_text(path.read_text().replace("perceptual = 0", "perceptual = 10"))
    torch.manual_seed(0)
    torch.save({**Perceptual().state_dict(), "classifier.6.bias": torch.zeros(1000)}, cli.folder / "vgg19.pth")
    command = ("compress", path, "--data", "images", "-o", "run", "--vgg", "vgg19.pth")
    cli(*command, "--steps", 2)
    for part in ("teacher", "student"):
        lines = (cli.folder / "run" / part / "metrics.jsonl").read_text().splitlines()
        assert all(json.loads(line)["perceptual"] > 0 for line in lines)
    torch.manual_seed(1)
    torch.save(Perceptual().state_dict(), cli.folder / "vgg19.pth")
    told = cli(*command, "--steps", 3, "--resume", "--accept-changes", code=0)
    assert "E604" not in told.stderr
    told = cli("train", path, "--data", "images", "-o", "other", "--steps", 1, code=1)
    assert "--vgg" in told.stderr
