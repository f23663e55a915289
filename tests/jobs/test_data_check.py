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


@pytest.mark.parametrize(
    ("size", "told"), [((16, 16), (16, 16)), ((41, 90), (48, 96)), ((360, 480), (384, 512)), ((256, 1242), (256, 1216))]
)
def test_an_input_whose_sides_can_be_halved(cli, size, told):
    images(cli.folder / "d" / "photo", "ab", size=size)
    images(cli.folder / "d" / "label", "ab", size=size, levels=5, channels=())
    found = json.loads(cli("data", "check", "d", "--format", "json").stdout)
    assert found["input"] == f"input map: labels(5, {told[0]}, {told[1]})"


@pytest.mark.parametrize(
    ("levels", "input", "settings"),
    [
        ((0, 255), "labels(2, 16, 16)", {"label_values": (0, 255)}),
        ((0, 127, 255), "labels(3, 16, 16)", {"label_values": (0, 127, 255)}),
        ((255,), "labels(1, 16, 16)", {"label_values": (255,)}),
        ((1, 2, 3), "labels(3, 16, 16)", {"label_values": (1, 2, 3)}),
        ((1, 3, 4), "labels(4, 16, 16)", {"label_values": (1, 2, 3, 4)}),
        ((1, 2, 3, 255), "labels(3, 16, 16)", {"label_values": (1, 2, 3), "ignore": 255}),
        ((0, 1, 2, 255), "labels(3, 16, 16)", {"ignore": 255}),
        ((0, 1, 3), "labels(4, 16, 16)", {}),
        ((-1, 0, 1), "labels(2, 16, 16)", {"ignore": -1}),
        ((-1, 1, 2), "labels(2, 16, 16)", {"ignore": -1, "label_values": (1, 2)}),
        ((-8, 0, 4), "labels(3, 16, 16)", {"label_values": (-8, 0, 4)}),
        ((0, 1, 2, 65_535), "labels(3, 16, 16)", {"ignore": 65_535}),
        ((0, 30_000), "labels(2, 16, 16)", {"label_values": (0, 30_000)}),
    ],
)
def test_levels_that_number_no_classes_are_listed(cli, levels, input, settings):
    images(cli.folder / "d" / "photo", "abc")
    (cli.folder / "d" / "label").mkdir()
    type_ = np.int32 if min(levels) < 0 else np.uint8 if max(levels) < 256 else np.uint16
    for name in "abc":
        pixels = np.resize(np.array(levels, type_), (16, 16))
        Image.fromarray(pixels).save(cli.folder / "d" / "label" / f"{name}{'.tif' if min(levels) < 0 else '.png'}")
    found = json.loads(cli("data", "check", "d", "--format", "json").stdout)
    assert found["input"] == f"input map: {input}"
    seen = data_settings(found["settings"])
    assert {"ignore": seen.ignore, "label_values": seen.label_values} == {
        "ignore": None, "label_values": None, **settings,
    }  # fmt: skip


def test_what_is_not_read_is_told_by_check_and_by_training(cli):
    folder = cli.folder / "d"
    images(folder / "Train" / "A", "abcdef")
    images(folder / "Train" / "B", "abcdef")
    images(folder / "depth", [str(i) for i in range(12)])
    (folder / "notes.txt").write_text("x")
    (folder / ".DS_Store").write_text("x")
    told = cli("data", "check", "d").stdout
    assert (
        "not used    13 files or folders\n            depth/0.png and 11 more: lies in depth, which is no part" in told
    )
    assert "            notes.txt: is not read, by its suffix .txt" in told
    assert "hidden      1 file or folder, not read" in told
    unused = json.loads(cli("data", "check", "d", "--format", "json").stdout)["unused"]
    assert (unused["count"], unused["hidden"], len(unused["reasons"])) == (13, 1, 2)
    assert (unused["reasons"][0]["count"], len(unused["reasons"][0]["first"])) == (12, 10)
    told = cli("train", "tiny.cat", "--data", "d", "-o", "run", "--steps", 1)
    lines = [line for line in (told.stdout + told.stderr).splitlines() if "not used" in line]
    assert len(lines) == 1
    assert "13 files, such as d/depth/0.png: lies in depth" in lines[0]
    assert "`catdsl data check d` lists all" in lines[0]


def test_plain_images_are_refused_alike(cli):
    rows, columns = np.meshgrid(np.arange(32), np.arange(64), indexing="ij")
    (cli.folder / "d").mkdir()
    for i in range(6):
        levels = 120 + 60 * np.sin(rows / (3 + i)) + 50 * np.sin(columns / 9)
        Image.fromarray(levels.astype(np.uint8)).save(cli.folder / "d" / f"{i}.png")
    told = [
        cli("data", "check", "d", code=1).stderr,
        cli("train", "tiny.cat", "--data", "d", "-o", "run", "--steps", 1, code=1).stderr,
    ]
    assert told[0].strip() == told[1].strip()
    assert "d holds 6 images of one side" in told[0]
    text = TINY.replace("crop = 16 }", "crop = 16, joined = true }")
    (cli.folder / "insisting.cat").write_text(text)
    told = cli("train", "insisting.cat", "--data", "d", "-o", "run", "--steps", 1)
    assert "pairs, each file cut in two (A|B)" in told.stdout + told.stderr


@pytest.mark.parametrize(
    ("block", "code", "part"),
    [
        ("data { kind = labels, label_values = [0, 1] }", "E607", "lists 2 levels, and the generator takes 5 classes"),
        ("data { kind = labels, joined = true }", "E503", "joined is for kind = paired"),
        ("data { label_values = [0, 1] }", "E503", "label_values are for kind = labels"),
        ("data { kind = labels, label_values = [0, 0] }", "E503", "name a level twice"),
        ("data { kind = labels, label_values = [0, 9], ignore = 9 }", "E503", "9 is both in label_values"),
    ],
)
def test_label_values_that_do_not_fit(cli, block, code, part):
    labels(cli.folder / "d", "abcdef")
    (cli.folder / "odd.cat").write_text(LABELS.replace("data    { load = 18, crop = 16 }", block))
    told = cli("train", "odd.cat", "--data", "d", "-o", "run", "--steps", 1, code=1).stderr
    assert part in told
    assert code in told


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
