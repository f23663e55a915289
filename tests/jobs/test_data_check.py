"""`data check`: exit codes, both forms of output, and settings that really read the folder."""

import json

import numpy as np
import pytest
from PIL import Image

from catdsl.semantics.elaborate import elaborate
from catdsl.semantics.library import SourceFile
from tests.jobs.conftest import TINY

CYCLEGAN = TINY.replace("train   {", "train   { system = cyclegan,")
LABELS = TINY.replace("input labels: image(3, 16, 16)", "input labels: labels(5, 16, 16)")


def images(folder, names, *, levels=200, size=(16, 16), channels=(3,)):
    folder.mkdir(parents=True, exist_ok=True)
    numbers = np.random.default_rng(0)
    for name in names:
        pixels = numbers.integers(0, levels, size + channels, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")


def labels(folder, names, **options):
    images(folder / "photo", names)
    images(folder / "label", names, levels=5, channels=(), **options)


def data_settings(block):
    """The settings of a spec that holds this block."""
    text = TINY.replace("data    { load = 18, crop = 16 }", block)
    return elaborate(SourceFile("pasted.cat", text), {}).settings.data


@pytest.mark.parametrize("kind", ["paired", "unpaired", "labels"])
def test_the_settings_that_are_told_read_the_folder(cli, kind):
    folder = cli.folder / "some images"
    if kind == "labels":
        labels(folder, "abcdefg")
    else:
        images(folder / "A", "abcdefg")
        images(folder / "B", "abcdefg" if kind == "paired" else "hijk")
    found = json.loads(cli("data", "check", folder, "--format", "json").stdout)
    assert found["kind"] == kind
    assert found["settings"] in cli("data", "check", folder).stdout
    settings = data_settings(found["settings"])
    assert (settings.kind, settings.holdout) == (kind, 2)
    assert found["input"] == ("input map: labels(5, 16, 16)" if kind == "labels" else None)


def test_a_label_that_means_nothing(cli):
    labels(cli.folder / "d", "ab")
    path = cli.folder / "d" / "label" / "a.png"
    pixels = np.array(Image.open(path))
    pixels[0] = 255
    Image.fromarray(pixels).save(path)
    found = json.loads(cli("data", "check", "d", "--format", "json").stdout)
    assert data_settings(found["settings"]).ignore == 255
    assert found["input"] == "input map: labels(5, 16, 16)"
    assert found["labels"][-1] == {"label": 255, "share": 16 / 512, "files": 1}
    assert "       255     3.12%       1" in cli("data", "check", "d").stdout


def test_files_that_cannot_be_used_are_told_and_end_with_1(cli):
    images(cli.folder / "d" / "trainA", map(str, range(40)))
    images(cli.folder / "d" / "trainB", map(str, range(40)))
    for i in range(12):
        (cli.folder / "d" / "trainA" / f"{i}.png").write_text("no image")
    images(cli.folder / "d" / "trainB", ["lonely"])
    told = cli("data", "check", "d", code=1)
    assert "not usable  13 files" in told.stdout
    assert "13 image files cannot be used" in told.stderr
    assert "and 3 more" in told.stderr
    told = cli("data", "check", "d", "--format", "json", code=1)
    odd = json.loads(told.stdout)["odd"]
    assert (odd["count"], len(odd["first"])) == (13, 10)
    assert "E602" in told.stderr


@pytest.mark.parametrize("format", ["text", "json"])
def test_nothing_to_be_found(cli, format):
    (cli.folder / "empty").mkdir()
    for folder in ("empty", "absent", "tiny.cat"):
        told = cli("data", "check", folder, "--format", format, code=1)
        assert ("E601" in told.stderr, told.stdout) == (True, "")


@pytest.mark.parametrize(
    ("spec", "block", "folder", "code", "part"),
    [
        (LABELS, "data { kind = paired }", "d", "E607", "the generator's input is a label map"),
        (TINY, "data { kind = labels }", "d", "E607", "kind = labels gives label maps"),
        (LABELS, "data { kind = labels }", None, "E601", "no embedded data of kind = labels"),
        (CYCLEGAN, "data { kind = unpaired }", None, "E601", "no embedded data of kind = unpaired"),
        (LABELS.replace("16, 16)", "16, 16, edges = true)"), "data { kind = labels }", "d", "E601", "no instance maps"),
    ],
)
def test_what_a_training_refuses(cli, spec, block, folder, code, part):
    labels(cli.folder / "d", "abcdef")
    text = spec.replace("data    { load = 18, crop = 16 }", block)
    (cli.folder / "odd.cat").write_text(text)
    told = cli("train", "odd.cat", *(("--data", folder) if folder else ()), "-o", "run", "--steps", 1, code=1)
    assert code in told.stderr
    assert part in told.stderr
    assert (code != "E607") or "odd.cat:6:5" in told.stderr
    assert not (cli.folder / "run").exists()
