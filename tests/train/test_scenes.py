"""The embedded set: the same each time, learnable but not trivial, and written whole."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from catdsl.diagnostics import CatError
from catdsl.evaluate.quality import input_quality, mean_image_quality
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.pixels import read_pixels
from catdsl.train.data.scene_canvas import LABELS
from catdsl.train.data.scene_drawing import draw_scene
from catdsl.train.data.scenes import default_scenes, write_scenes
from catdsl.train.seeding import numbers_for
from tests.train.opened import opened


def content(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_seed_decides_everything(tmp_path):
    for name, seed, count in (("a", 3, 4), ("b", 3, 6), ("c", 4, 4)):
        write_scenes(tmp_path / name, count=count, size=(24, 40), seed=seed, validation=2)
    a, b, c = (content(tmp_path / name) for name in "abc")
    assert all(a[path] == b[path] for path in a if path.endswith("png"))
    assert all(a[path] != c[path] for path in a if path.endswith("png"))
    assert a["train/0001.png"] != a["val/0001.png"]


def test_layout_and_sizes(scenes):
    data = opened(scenes, DataSettings(), size=(32, 32))
    assert (len(data.train), len(data.validation)) == (10, 3)
    with Image.open(scenes / "train" / "0001.png") as image:
        assert image.size == (64, 32)


def test_labels_are_flat_and_all_of_them_occur():
    seen = set()
    for i in range(60):
        label, photo = draw_scene((48, 64), numbers_for(0, "scene", i))
        assert label.shape == photo.shape == (48, 64, 3)
        seen |= set(map(tuple, label.reshape(-1, 3).tolist()))
    assert seen == set(LABELS.values())


def test_the_light_decides_about_the_photograph():
    """The same label colour looks quite different by day and by night, and on the two sides of a house."""
    grass = {True: [], False: []}
    for i in range(40):
        label, photo = draw_scene((32, 32), numbers_for(1, "scene", i))
        day = bool((label == LABELS["sky"]).all(-1).any())
        grass[day].append(photo[(label == LABELS["grass"]).all(-1)].mean())
    assert len(grass[False]) > 3
    assert np.mean(grass[True]) > np.mean(grass[False]) + 20


def test_neither_the_mean_image_nor_the_input_is_an_answer(tmp_path):
    write_scenes(tmp_path / "s", count=60, size=(32, 32), seed=0, validation=20)
    data = opened(tmp_path / "s", DataSettings(), size=(32, 32))
    assert mean_image_quality(data).means.l1 > 0.08
    assert input_quality(data).means.l1 > 0.08


def test_a_complete_set_is_left_alone_and_a_broken_one_drawn_again(tmp_path):
    folder = tmp_path / "s"
    first = write_scenes(folder, count=3, size=(16, 16), seed=0, validation=1)
    before, times = content(folder), {p: p.stat().st_mtime_ns for p in folder.rglob("*")}
    assert write_scenes(folder, count=3, size=(16, 16), seed=0, validation=1) == first
    assert {p: p.stat().st_mtime_ns for p in folder.rglob("*")} == times
    (folder / "train" / "0002.png").unlink()
    write_scenes(folder, count=3, size=(16, 16), seed=0, validation=1)
    assert content(folder) == before
    write_scenes(folder, count=2, size=(16, 16), seed=0, validation=1)
    assert len(content(folder)) == 4
    assert [p.name for p in tmp_path.iterdir()] == ["s"]


def test_a_death_while_drawing_leaves_no_set(tmp_path, monkeypatch):
    drawn = iter(range(2))
    monkeypatch.setattr("catdsl.train.data.scenes.draw_scene", lambda *_: (next(drawn), np.zeros((8, 8, 3), np.uint8)))
    with pytest.raises(ValueError, match="dimension"):
        write_scenes(tmp_path / "s", count=3, size=(8, 8), seed=0)
    assert list(tmp_path.iterdir()) == []


def test_other_peoples_files_are_not_overwritten(tmp_path):
    (tmp_path / "photo.png").write_text("mine")
    with pytest.raises(CatError, match=r"E608"):
        write_scenes(tmp_path, count=2, size=(16, 16), seed=0)
    assert (tmp_path / "photo.png").read_text() == "mine"


def test_the_default_set_lies_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = default_scenes((16, 24), count=2, validation=1, seed=5)
    assert folder.parent == tmp_path / "catdsl"
    assert read_pixels(folder / "val" / "0001.png", 3).shape == (16, 48, 3)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "scenes.json"))
    with pytest.raises(CatError, match=r"E608"):
        default_scenes((16, 24), count=2, validation=1, seed=5)


def test_drawing_needs_no_torch():
    script = "import sys, catdsl.train.data.scenes; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
