"""`evaluate` and `compare`: from a run to its report, with what is missing said and what is wrong refused."""

import json
import os
import re

import numpy as np
import pytest
import torch
from PIL import Image

from catdsl.diagnostics import CatError
from catdsl.train.data.images import read_image
from catdsl.view.report.files import JSON
from catdsl.view.report.serial import from_json
from tests.evaluate.judges import random_inception, random_squeezenet
from tests.jobs.systems import write_images, write_spec

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _no_hub(tmp_path_factory, monkeypatch):
    """No weights of Inception in the user's cache, and no network to fetch them from."""
    from catdsl.evaluate import inception_weights

    monkeypatch.setenv("TORCH_HOME", str(tmp_path_factory.mktemp("hub")))

    def unreachable(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(inception_weights, "urlopen", unreachable)


@pytest.fixture(params=["pix2pix", "cyclegan", "gaugan"])
def system(request, cli):
    write_spec(cli.folder, request.param)
    write_images(cli.folder / "images", request.param)
    cli("compress", f"{request.param}.cat", "--data", "images", "-o", "run", "--steps", 4)
    return request.param


@pytest.fixture
def trained(cli):
    write_spec(cli.folder, "pix2pix")
    write_images(cli.folder / "images", "pix2pix")
    cli("compress", "pix2pix.cat", "--data", "images", "-o", "run", "--steps", 4)
    return cli.folder / "run"


def report(cli, run="run"):
    return from_json((cli.folder / run / "report" / JSON).read_text(encoding="utf-8"))


def by_name(found):
    return {metric.name: metric for metric in found.metrics}


def test_each_system_is_evaluated(cli, system):
    done = cli("evaluate", "run", "--data", "images", "--squeezenet-weights", random_squeezenet(cli.folder / "s.pth"))
    assert "report.html" in done.stdout
    assert "weights-inception-2015-12-05-6726825d.pth" in done.stderr
    assert "--inception-weights" in done.stderr
    found = report(cli)
    metrics = by_name(found)
    assert found.system == system
    assert found.student.exact <= 0.6 * found.teacher.exact
    assert metrics["FID"].figures == ()
    assert "--inception-weights" in metrics["FID"].reason
    distance = metrics["Frechet distance (SqueezeNet)"]
    assert {"teacher", "student"} <= {figure.answer for figure in distance.figures}
    assert "3 made and " + ("8 real" if system == "cyclegan" else "3 real") in distance.protocol
    expected = {"L1 to the teacher's images"} if system == "cyclegan" else {"L1", "PSNR", "SSIM"}
    assert expected <= metrics.keys()
    assert [timed.network for timed in found.timings[0].networks] == ["teacher", "student"]
    assert {chart.title.split(":")[0] for chart in found.charts} == {"teacher", "student"}
    assert len(found.examples) == 3
    for example in found.examples:
        roles = {role for role, _ in example.pictures()}
        assert roles == {"input", "teacher", "student"} | (set() if system == "cyclegan" else {"target"})
        assert all((cli.folder / "run" / "report" / file).is_file() for _, file in example.pictures())
    page = (cli.folder / "run" / "report" / "report.html").read_text(encoding="utf-8")
    assert "data:image/png;base64" in page
    assert not re.search(r"""(?:src|href)=["']https?:|url\(["']?https?:""", page)


def test_the_pictures_are_those_of_translate_and_their_l1_is_what_is_reported(cli, trained):
    cli("evaluate", "run", "--data", "images")
    joined = sorted((cli.folder / "images" / "train").iterdir())[-3:]
    for side, name in ((0, "given"), (20, "wanted")):
        (cli.folder / name).mkdir()
        for path in joined:
            half = Image.open(path).crop((side, 0, side + 20, 20)).resize((16, 16), Image.Resampling.BICUBIC)
            half.save(cli.folder / name / path.name)
    cli("translate", "run", "given", "-o", "made")
    errors = []
    for index, path in enumerate(joined):
        shown = trained / "report" / "images" / "student" / f"{index:05d}.png"
        assert np.array_equal(Image.open(shown), Image.open(cli.folder / "made" / path.name))
        made, wanted = (read_image(cli.folder / folder / path.name, 3) for folder in ("made", "wanted"))
        errors.append(float((made - wanted).abs().mean()) / 2)
    student = by_name(report(cli))["L1"].of("student")
    # The files have 8 bits.
    assert student.value == pytest.approx(np.mean(errors), abs=2e-3)
    assert student.interval is None
    # Of three images no interval is given, nor of their differences.
    assert by_name(report(cli))["L1"].difference("student", "teacher") is None


def test_figures_of_inception(cli, trained):
    """Its weights are random here: what matters is that the file is used, and that the names are the field's."""
    cli("evaluate", "run", "--data", "images", "--inception-weights", random_inception(cli.folder / "i.pth"))
    metrics = by_name(report(cli))
    assert {"FID", "KID", "precision", "recall", "ISC"} <= metrics.keys()
    assert all(metrics[name].of("student") is not None for name in ("FID", "KID", "ISC"))
    assert any((cli.cache / "catdsl" / "features").iterdir())


def test_the_protocol_may_be_chosen(cli, trained):
    weights = random_squeezenet(cli.folder / "s.pth")
    cli("evaluate", "run", "--data", "images", "--squeezenet-weights", weights, "--protocol", "unpaired", "--no-cache")
    protocol = by_name(report(cli))["Frechet distance (SqueezeNet)"].protocol
    assert "3 made and 13 real" in protocol
    cli(
        "evaluate", "run", "--data", "images", "--squeezenet-weights", weights, "--protocol", "unpaired", "--balance"
    )  # fmt: skip
    protocol = by_name(report(cli))["Frechet distance (SqueezeNet)"].protocol
    assert "3 made and 3 real" in protocol


class Colours(torch.nn.Module):
    """Says that everything is class 2."""

    def forward(self, x_BCHW):
        return torch.full((x_BCHW.shape[0], x_BCHW.shape[2], x_BCHW.shape[3]), 2, dtype=torch.long)


def test_label_maps_are_segmented(cli):
    write_spec(cli.folder, "gaugan")
    images = write_images(cli.folder / "images", "gaugan")
    cli("train", "gaugan.cat", "--data", "images", "-o", "run", "--steps", 2)
    torch.jit.script(Colours()).save("segmenter.pt")
    cli("evaluate", "run", "--data", "images", "--segmenter", "segmenter.pt", "--trust-segmenter")
    found = report(cli)
    accuracy = by_name(found)["pixel accuracy"].of("teacher").value
    maps = [np.asarray(Image.open(p)) for p in sorted((images / "train" / "label").iterdir())[-3:]]
    small = [np.asarray(Image.fromarray(m).resize((16, 16), Image.Resampling.NEAREST)) for m in maps]
    share = np.mean([(m == 2)[m != 9].sum() for m in small]) / np.mean([(m != 9).sum() for m in small])
    assert accuracy == pytest.approx(share, abs=0.03)
    assert by_name(found)["mIoU"].of("real photographs").value == by_name(found)["mIoU"].of("teacher").value
    assert found.student is None
    assert [score.scores[0] for score in found.segmentation.classes][:2] == [0.0, 0.0]


def test_a_teacher_that_was_given_belongs_to_the_run(cli, trained):
    cli("plan", "pix2pix.cat", "--teacher", "run", "-o", "plan/student.cat")
    given = ("--student", "plan/student.cat", "--teacher", "run", "--data", "images")
    cli("distill", "pix2pix.cat", *given, "-o", "other", "--steps", 2)
    cli("evaluate", "other", "--data", "images")
    cli("evaluate", "run", "--data", "images")
    assert report(cli, "other").teacher_digest == report(cli).teacher_digest != ""


def test_runs_side_by_side(cli, trained):
    cli(
        "compress",
        "pix2pix.cat",
        "--data",
        "images",
        "-o",
        "small",
        "--steps",
        4,
        "--budget",
        "40%",
        "--teacher",
        "run",
    )
    told = cli("compare", "run", "small", code=1)
    assert "E603" in told.stderr
    assert "catdsl evaluate run --data DIR" in told.stderr
    for run in ("run", "small"):
        cli("evaluate", run, "--data", "images")
    shown = cli("compare", "run", "small", "-o", "both").stdout
    assert "run" in shown
    assert "small" in shown
    assert {p.name for p in (cli.folder / "both").iterdir()} == {
        f"comparison.{e}" for e in ("html", "md", "json", "svg")
    }
    rows = json.loads(cli("compare", "run", "small", "--format", "json").stdout)["rows"]
    assert [row["part"] for row in rows] == ["teacher", "student", "student"]
    assert "given twice" in cli("compare", "run", "./run", code=1).stderr
    assert "E607" in cli("compare", "run", "small", "-o", "both", "--metric", "FID", code=1).stderr


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (("--data", "empty"), "E601", "no "),
        (("--data", "gone"), "E601", "gone"),
        (("--data", "images", "--inception-weights", "notes.txt"), "E605", "notes.txt"),
        (("--data", "images", "--squeezenet-weights", "notes.txt"), "E605", "notes.txt"),
        (("--data", "images", "--segmenter", "notes.txt"), "E607", "mIoU needs label maps"),
        (("--data", "images", "--label-table", "notes.txt"), "E607", "--segmenter"),
        (("--data", "images", "--device", "cuda:99"), "E607", "cuda:99"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_written(cli, trained, flags, code, said):
    (cli.folder / "empty").mkdir()
    (cli.folder / "notes.txt").write_text("no weights")
    told = cli("evaluate", "run", *flags, code=1)
    assert code in told.stderr
    assert said in told.stderr
    assert not (trained / "report").exists()


def test_broken_images_and_runs_are_told(cli, trained):
    assert "E603" in cli("evaluate", "images", "--data", "images", code=1).stderr
    (cli.folder / "images" / "train" / "12.png").write_bytes(b"no image")
    told = cli("evaluate", "run", "--data", "images", code=1)
    assert "E602" in told.stderr
    assert "12.png" in told.stderr
    for path in sorted((cli.folder / "images" / "train").iterdir())[2:]:
        path.unlink()
    assert "E601" in cli("evaluate", "run", "--data", "images", code=1).stderr


def test_other_images_than_those_of_the_training_are_pointed_out(cli, trained):
    (cli.folder / "images" / "train" / "00.png").unlink()
    cli("evaluate", "run", "--data", "images")
    assert any("not those that the run was trained on" in note.text for note in report(cli).notes)


def test_all_real_images_of_a_larger_target_side_count(cli):
    """Held-out targets beyond the number of inputs, too."""
    write_spec(cli.folder, "cyclegan")
    images = write_images(cli.folder / "images", "cyclegan")
    for side, count in (("A", 3), ("B", 7)):
        (images / f"test{side}").mkdir()
        for index in range(count):
            Image.new("RGB", (20, 20), (30 * index, 0, 0)).save(images / f"test{side}" / f"{index}.png")
    cli("train", "cyclegan.cat", "--data", "images", "-o", "run", "--steps", 1)
    cli("evaluate", "run", "--data", "images", "--squeezenet-weights", random_squeezenet(cli.folder / "s.pth"))
    assert "3 made and 15 real" in by_name(report(cli))["Frechet distance (SqueezeNet)"].protocol
    shown = cli.folder / "run" / "report" / "images"
    assert len(list((shown / "target").iterdir())) == 7
    assert len(list((shown / "teacher").iterdir())) == 3


def test_a_segmenter_that_does_not_fit_is_found_before_images_are_made(cli):
    write_spec(cli.folder, "gaugan")
    write_images(cli.folder / "images", "gaugan")
    cli("train", "gaugan.cat", "--data", "images", "-o", "run", "--steps", 1)
    torch.jit.script(torch.nn.Conv2d(3, 7, 1)).save("seven.pt")
    refused = cli("evaluate", "run", "--data", "images", "--segmenter", "seven.pt", code=1).stderr
    assert "error[E607]: seven.pt is a program of torch, and loading it can run any code" in refused
    assert "or add --trust-segmenter" in refused
    told = cli("evaluate", "run", "--data", "images", "--segmenter", "seven.pt", "--trust-segmenter", code=1)
    assert "7 classes" in told.stderr
    assert not (cli.folder / "run" / "report").exists()


def test_of_the_report_before_only_what_evaluate_has_made_is_gone(cli, trained):
    cli("evaluate", "run", "--data", "images")
    folder = trained / "report"
    stale = folder / "images" / "student" / "99999.png"
    Image.new("RGB", (16, 16)).save(stale)
    listed = json.loads((folder / "files.json").read_text())
    (folder / "files.json").write_text(json.dumps({**listed, "files": [*listed["files"], "../run.json",
                                                                      "images/student/99999.png"]}))  # fmt: skip
    (folder / "notes.txt").write_text("mine")
    told = cli("evaluate", "run", "--data", "images")
    assert not stale.exists()
    assert (folder / "notes.txt").read_text() == "mine"
    assert "notes.txt" in told.stderr
    assert (trained / "run.json").exists()
    assert json.loads((folder / "files.json").read_text()) == listed
    assert [path.name for path in trained.iterdir() if path.name.startswith(".catdsl")] == []


def test_an_evaluation_that_fails_leaves_the_report_before(cli, trained, monkeypatch):
    cli("evaluate", "run", "--data", "images")
    before = {path: path.read_bytes() for path in (trained / "report").rglob("*") if path.is_file()}

    def fails(*_, **__):
        raise CatError.one("E607", "the device is gone", help="try again")

    monkeypatch.setattr("catdsl.jobs.evaluate.measure_speed", fails)
    assert "E607" in cli("evaluate", "run", "--data", "images", code=1).stderr
    assert {path: path.read_bytes() for path in (trained / "report").rglob("*") if path.is_file()} == before
    assert [path.name for path in trained.iterdir() if path.name.startswith(".catdsl")] == []


def test_few_images_have_no_intervals_and_the_report_says_why(cli, trained):
    cli("evaluate", "run", "--data", "images")
    found = report(cli)
    assert all(metric.images < 10 for metric in found.metrics)
    assert all(figure.interval is None for metric in found.metrics for figure in metric.figures)
    assert "No intervals: 10 images are needed at least" in by_name(found)["L1"].reason
    assert "10 images are needed" in (trained / "report" / "report.md").read_text()


def test_the_commands_of_a_report_do_it_again(cli, trained):
    cli(
        "compress",
        "pix2pix.cat",
        "--data",
        "images",
        "-o",
        "other",
        "--steps",
        3,
        "--teacher",
        "run",
        "--budget",
        "50%",
    )
    cli("evaluate", "other", "--data", "images", "--no-cache")
    made, judged = report(cli, "other").commands
    assert made == "catdsl compress pix2pix.cat --data images --steps 3 --teacher run --budget 50% -o other-again"
    assert judged == "catdsl evaluate other-again --data images --no-cache"
    for command in (made, judged):
        cli(*command.split()[1:])
    assert by_name(report(cli, "other-again"))["L1"].figures == by_name(report(cli, "other"))["L1"].figures


def test_a_run_keeps_the_discriminator_of_its_teacher(cli, trained):
    more = ("--data", "images", "--steps", 2, "--budget", "50%")
    cli("compress", "pix2pix.cat", *more, "-o", "other", "--teacher", "run")
    cli("compress", "pix2pix.cat", *more, "-o", "third", "--teacher", "other")
    first, second = (cli.folder / run / "student" / "weights.safetensors" for run in ("other", "third"))
    assert first.read_bytes() == second.read_bytes()


def test_no_place_for_a_cache_is_no_error(cli, trained, monkeypatch):
    (cli.folder / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cli.folder / "file"))
    told = cli("evaluate", "run", "--data", "images")
    assert "features of images are not kept" in told.stderr


def test_the_embedded_scenes_are_not_taken_for_other_images(cli, trained):
    cli("evaluate", "run", "--data", "images")
    before = (trained / "report" / JSON).read_text()
    told = cli("evaluate", "run", code=1)
    assert "E601" in told.stderr
    assert "--data" in told.stderr
    assert (trained / "report" / JSON).read_text() == before


def test_a_report_that_is_older_than_its_networks_is_pointed_out(cli, trained):
    cli("evaluate", "run", "--data", "images")
    assert cli("compare", "run").stderr == ""
    later = (trained / "report" / JSON).stat().st_mtime + 10
    os.utime(trained / "student" / "weights.safetensors", (later, later))
    assert "evaluate it again" in cli("compare", "run").stderr
