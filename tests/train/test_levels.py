"""Which levels are proposed, what is too dark to train on, and that `data check` and training agree."""

import json
import struct

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from catdsl.diagnostics import CatError
from catdsl.jobs.data_check import check_text, settings_block
from catdsl.semantics.settings import DataSettings, TrainSettings
from catdsl.train.data.level_check import check_bits_used
from catdsl.train.data.levels import as_setting, fitting
from catdsl.train.data.sides import LabelMap, Side
from catdsl.train.data.stored import Stored
from catdsl.train.data.survey import survey
from catdsl.train.recipe import teacher_recipe
from catdsl.train.run_settings import run_settings
from tests.train.opened import opened
from tests.train.pictures import png


def saved(path, image, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


def written(path, content):
    path.write_bytes(content)
    return path


class TestFitting:
    @pytest.mark.parametrize(
        ("numbers", "found", "expected"),
        [
            ("unsigned", (3, 900), "[0, 1023]"), ("unsigned", (0, 4095), "[0, 4095]"),
            ("unsigned", (0, 4096), "[0, 16383]"), ("unsigned", (5, 70_000), "[5, 70000]"),
            ("signed", (-1024, 3071), "[-1024, 3071]"), ("signed", (0, 3071), "[0, 4095]"),
            ("float", (0, 1), "[0, 1]"), ("float", (-0.99, 0.99), "[-1, 1]"), ("float", (0, 254.5), "[0, 255]"),
            ("float", (0, 2), "[0, 2]"), ("float", (0, 0.002), "[0, 0.002]"),
            ("float", (-1.2345, 17.6789), "[-1.3, 17.7]"),
            ("float", (7.5, 7.5), "[7, 8]"),
        ],
    )  # fmt: skip
    def test_by_hand(self, numbers, found, expected):
        levels = fitting(Stored(bits=32, numbers=numbers), found)
        assert as_setting(levels) == expected
        assert levels[0] <= found[0] <= found[1] <= levels[1]

    def test_drawn_floats_lie_within(self):
        numbers = np.random.default_rng(0)
        for _ in range(500):
            scale = 10.0 ** numbers.integers(-6, 7)
            low, high = sorted((numbers.normal(size=2) * scale).tolist())
            levels = fitting(Stored(bits=32, numbers="float"), (low, high))
            assert levels[0] <= low <= high <= levels[1]
            assert levels[1] - levels[0] <= 8 * max(abs(low), abs(high))


def deep(folder, names, highest, *, lowest=0, kind=np.uint16):
    for i, name in enumerate(names):
        levels = np.linspace(lowest, highest, 256).reshape(16, 16).astype(kind)
        saved(folder / f"{name}.tif", Image.fromarray(np.roll(levels, i)))


def flat(folder, names):
    for name in names:
        saved(folder / f"{name}.tif", Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)))


GREY = {"source": Side(1), "target": Side(1), "size": (16, 16)}
NAMES = "abcd"


def caught(folder, **settings):
    with pytest.raises(CatError) as found:
        opened(folder, DataSettings(**settings), **GREY)
    return found.value.diagnostics[0]


class TestTraining:
    @pytest.mark.parametrize("kind", ["paired", "unpaired"])
    @pytest.mark.parametrize(("bits", "fit"), [(10, 1023), (12, 4095), (14, 16_383)])
    def test_files_that_use_few_bits(self, tmp_path, kind, bits, fit):
        deep(tmp_path / "A", NAMES, 2**bits - 1)
        flat(tmp_path / "B", NAMES)
        error = caught(tmp_path, kind=kind)
        assert error.code == "E602"
        assert f"4 image files, such as {tmp_path / 'A' / 'a.tif'}, use levels from 0 to {fit} alone" in error.message
        assert error.help == (
            f"set levels = [0, {fit}] in data {{ }}; where pictures are meant to be so dark, set levels = [0, 65535]"
        )
        for levels, brightest in (((0, fit), 255), ((0, 65_535), fit // 257)):
            data = opened(tmp_path, DataSettings(kind=kind, levels=levels), **GREY)
            source, target = data.train.read([0])[0]
            assert abs(int(source.max()) - brightest) <= 1
            assert target.max() == 255

    def test_one_bright_file_is_enough(self, tmp_path):
        deep(tmp_path / "A", "abc", 4095)
        deep(tmp_path / "A", "d", 60_000)
        flat(tmp_path / "B", NAMES)
        opened(tmp_path, DataSettings(), **GREY)

    def test_sides_with_levels_of_their_own(self, tmp_path):
        deep(tmp_path / "A", NAMES, 3000, lowest=-1000, kind=np.int32)
        deep(tmp_path / "B", NAMES, 4095)
        assert caught(tmp_path).code == "E602"
        assert "beyond levels" in caught(tmp_path, levels=(0, 4095)).notes[0]
        data = opened(tmp_path, DataSettings(levels=(-1000, 3000), target_levels=(0, 4095)), **GREY)
        assert all((image.min(), image.max()) == (0, 255) for image in data.train.read([0])[0])
        swapped = DataSettings(levels=(0, 4095), target_levels=(-1000, 3000), direction="b_to_a")
        assert all(image.max() == 255 for image in opened(tmp_path, swapped, **GREY).train.read([0])[0])

    def test_the_darker_target_has_a_setting_of_its_own(self, tmp_path):
        deep(tmp_path / "A", NAMES, 60_000)
        deep(tmp_path / "B", NAMES, 4095)
        assert caught(tmp_path).help.startswith("set target_levels = [0, 4095] in data { }")

    def test_both_sides_in_one_file(self, tmp_path):
        for name in NAMES:
            levels = np.linspace(0, 4095, 512).reshape(16, 32).astype(np.uint16)
            saved(tmp_path / f"{name}.png", Image.fromarray(levels))
        assert "levels = [0, 4095]" in caught(tmp_path).help
        opened(tmp_path, DataSettings(levels=(0, 4095)), **GREY)

    def test_photos_of_label_maps(self, tmp_path):
        deep(tmp_path / "photo", NAMES, 4095)
        for name in NAMES:
            saved(tmp_path / "label" / f"{name}.png", Image.fromarray(np.full((16, 16), 2, np.uint16)))
        form = {**GREY, "source": Side(3, LabelMap(3, edges=False))}
        with pytest.raises(CatError, match=r"E602.*almost black"):
            opened(tmp_path, DataSettings(kind="labels"), **form)
        data = opened(tmp_path, DataSettings(kind="labels", levels=(0, 4095)), **form)
        assert data.train.read([0])[0][1].max() == 255

    @pytest.mark.parametrize("name", ["levels", "target_levels"])
    def test_levels_that_no_file_needs(self, tmp_path, name):
        flat(tmp_path / "A", NAMES)
        flat(tmp_path / "B", NAMES)
        error = caught(tmp_path, **{name: (0, 4095)})
        assert (error.code, name in error.message) == ("E607", True)

    def test_colour_of_few_bits(self, tmp_path):
        for folder in "AB":
            for name in NAMES:
                content = png(16, 16, bits=16, colour=2, rows=(b"\0" + struct.pack(">48H", *range(0, 4080, 85))) * 16)
                (tmp_path / folder).mkdir(exist_ok=True)
                written(tmp_path / folder / f"{name}.png", content)
        error = caught(tmp_path)
        assert "save them with 8 bits: of such colour only the upper 8 are read" in error.help
        opened(tmp_path, DataSettings(levels=(0, 65_535)), **GREY)

    def test_black_pictures_prove_nothing(self, tmp_path):
        deep(tmp_path, NAMES, 0)
        check_bits_used([tmp_path / f"{name}.tif" for name in NAMES], None)
        deep(tmp_path, "e", 9)
        with pytest.raises(CatError, match=r"e.tif uses levels from 0 to 9 alone"):
            check_bits_used([tmp_path / f"{name}.tif" for name in (*NAMES, "e")], None)


class TestDataCheck:
    """What it proposes trains, and what it refuses does not."""

    @pytest.mark.parametrize(
        ("a", "b", "proposed"),
        [
            ((0, 4095, np.uint16), None, "levels = [0, 4095]"),
            (None, (0, 1000, np.uint16), "levels = [0, 1023]"),
            ((0, 60_000, np.uint16), None, ""),
            ((0, 60_000, np.uint16), (0, 4095, np.uint16), "levels = [0, 65535], target_levels = [0, 4095]"),
            ((0, 4095, np.uint16), (0, 4000, np.uint16), "levels = [0, 4095]"),
            ((-1000, 3000, np.int32), (0, 4095, np.uint16), "levels = [-1000, 3000], target_levels = [0, 4095]"),
            ((0, 1, np.float32), None, "levels = [0, 1]"),
            ((0.25, 17.5, np.float32), None, "levels = [0.2, 17.5]"),
            (None, None, ""),
        ],
    )
    @pytest.mark.parametrize("kind", ["paired", "unpaired"])
    def test_levels(self, tmp_path, a, b, proposed, kind):
        for side, (folder, form) in enumerate((("A", a), ("B", b))):
            names = NAMES if kind == "paired" or not side else "efgh"
            if form is None:
                flat(tmp_path / folder, names)
            else:
                deep(tmp_path / folder, names, form[1], lowest=form[0], kind=form[2])
        found = survey(tmp_path)
        block = settings_block(found)
        assert (proposed in block, "levels" in block, found.odd) == (True, bool(proposed), ())
        given = json.loads("{" + ", ".join(_as_json(part) for part in proposed.split(", t") if part) + "}")
        settings = DataSettings(kind=kind, **{name: tuple(levels) for name, levels in given.items()})
        data = opened(tmp_path, settings, **GREY)
        assert all(image.max() > 200 for image in data.train.read([0])[0])

    def test_what_is_shown(self, tmp_path):
        deep(tmp_path / "A", "ab", 4000, lowest=3)
        flat(tmp_path / "A", "cd")
        flat(tmp_path / "B", NAMES)
        text = check_text(survey(tmp_path))
        assert "2 of more than 8 bits; levels 0 to 255; levels of more than 8 bits 3 to 4000" in text
        assert "levels = [0, 4095]" in text

    def test_colour_of_few_bits_is_refused(self, tmp_path):
        content = png(16, 16, bits=16, colour=2, rows=(b"\0" + struct.pack(">48H", *range(0, 4080, 85))) * 16)
        for name in NAMES:
            (tmp_path / "A").mkdir(exist_ok=True)
            written(tmp_path / "A" / f"{name}.png", content)
        flat(tmp_path / "B", NAMES)
        found = survey(tmp_path)
        assert "levels from 0 to 4095 alone, and would be almost black" in found.opened.problem.diagnostics[0].message
        with pytest.raises(CatError) as caught:
            opened(tmp_path, DataSettings(), **GREY)
        assert caught.value.diagnostics == found.opened.problem.diagnostics
        deep(tmp_path / "A", "e", 4095)
        flat(tmp_path / "B", "e")
        reasons = [file.reason for file in survey(tmp_path).odd]
        assert len(reasons) == 4
        assert "levels = [0, 4095] cannot be told apart" in reasons[0]

    @pytest.mark.parametrize(("dark", "told"), [("A", "would be almost black"), ("B", "cannot be used")])
    def test_dark_colour_beside_a_side_that_needs_levels(self, tmp_path, dark, told):
        """Usual levels for it, once proposed, would let it pass."""
        content = png(16, 16, bits=16, colour=2, rows=(b"\0" + struct.pack(">48H", *range(0, 4080, 85))) * 16)
        (tmp_path / dark).mkdir()
        for name in NAMES:
            written(tmp_path / dark / f"{name}.png", content)
        deep(tmp_path / ("B" if dark == "A" else "A"), NAMES, 4095)
        found = survey(tmp_path)
        assert "65535" not in settings_block(found)
        assert told in found.opened.problem.diagnostics[0].message


def _as_json(setting):
    name, _, levels = setting.partition(" = ")
    return f'"{"t" if name.startswith("arget") else ""}{name}": {levels}'


class TestSettings:
    @pytest.mark.parametrize("levels", [(1, 0), (3, 3), (0, float("inf")), (float("nan"), 1)])
    def test_black_is_below_white(self, levels):
        with pytest.raises(ValidationError):
            DataSettings(levels=levels)

    def test_runs_from_before_go_on(self, paired):
        """Settings that are not given are not among those that a run is compared by."""
        recipe = teacher_recipe(TrainSettings())
        plain = run_settings(recipe, paired, DataSettings(), seed=1, steps=None)
        assert not [name for name in plain if "levels" in name]
        said = run_settings(recipe, paired, DataSettings(levels=(0, 4095)), seed=1, steps=None)
        assert {name: said[name] for name in said if name not in plain} == {"data.levels": (0, 4095)}
