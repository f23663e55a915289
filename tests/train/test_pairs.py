"""Finding, verifying and keeping pairs: every layout, and every way in which a folder can be wrong."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from catdsl.diagnostics import CatError
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.layouts import natural_key
from catdsl.train.data.scenes import write_scenes
from catdsl.train.data.sides import Side
from tests.train.opened import opened


def grey(path, level, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size[1], size[0]), (level,) * 3).save(path)


def joined(path, level_a, level_b, half=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", (2 * half[1], half[0]), (level_a,) * 3)
    image.paste((level_b,) * 3, (half[1], 0, 2 * half[1], half[0]))
    image.save(path)


def pairs_of(folder, *, size=(8, 8), **settings):
    return opened(folder, DataSettings(**settings), size=size)


def levels(images):
    """(name, input level, target level) of each pair."""
    read = images.read(range(len(images)))
    return [(p.name, int(i[0, 0, 0]), int(t[0, 0, 0])) for p, (i, t) in zip(images.shelf.entries, read, strict=True)]


def caught(folder, **options):
    with pytest.raises(CatError) as found:
        pairs_of(folder, **options)
    assert len(found.value.diagnostics) == 1
    return found.value.diagnostics[0]


class TestLayouts:
    def test_joined_files_right_in_the_folder(self, tmp_path):
        for i in range(1, 5):
            joined(tmp_path / f"{i}.png", i, 100 + i)
        data = pairs_of(tmp_path, holdout=1)
        assert levels(data.train) == [("1", 1, 101), ("2", 2, 102), ("3", 3, 103)]
        assert levels(data.validation) == [("4", 4, 104)]

    def test_direction_says_which_half_is_the_input(self, tmp_path):
        for i in range(1, 3):
            joined(tmp_path / f"{i}.png", i, 100 + i)
        assert levels(pairs_of(tmp_path, direction="b_to_a").train) == [("1", 101, 1)]

    @pytest.mark.parametrize("validation", ["val", "validation", "test"])
    def test_train_and_validation_folders(self, tmp_path, validation):
        for i in range(1, 4):
            joined(tmp_path / "train" / f"{i}.png", i, 100 + i)
        joined(tmp_path / validation / "9.png", 9, 109)
        data = pairs_of(tmp_path, holdout=2)
        assert len(data.train) == 3
        assert levels(data.validation) == [("9", 9, 109)]

    @pytest.mark.parametrize("pattern", ["{side}", "train{side}", "train/{side}", "{side}/train"])
    def test_two_folders(self, tmp_path, pattern):
        for i in range(1, 4):
            grey(tmp_path / pattern.format(side="A") / f"{i}.png", i)
            grey(tmp_path / pattern.format(side="B") / f"{i}.bmp", 100 + i)
        data = pairs_of(tmp_path, holdout=0)
        assert levels(data.train) == [("1", 1, 101), ("2", 2, 102), ("3", 3, 103)]
        assert len(data.validation) == 0

    def test_two_folders_with_validation(self, tmp_path):
        for split, name in (("train", "1"), ("train", "2"), ("val", "3"), ("test", "4")):
            grey(tmp_path / f"{split}A" / f"{name}.png", 1)
            grey(tmp_path / f"{split}B" / f"{name}.png", 2)
        data = pairs_of(tmp_path, direction="b_to_a")
        assert levels(data.train) == [("1", 2, 1), ("2", 2, 1)]
        assert levels(data.validation) == [("3", 2, 1)]

    def test_other_and_hidden_files_are_ignored(self, tmp_path):
        for i in range(1, 3):
            joined(tmp_path / f"{i}.PNG", i, i)
        (tmp_path / "readme.txt").write_text("notes")
        (tmp_path / "._1.png").write_bytes(b"not an image")
        (tmp_path / "old.png").mkdir()
        assert len(pairs_of(tmp_path, holdout=0).train) == 2


class TestHoldout:
    def test_natural_order(self):
        names = ["10.jpg", "2.jpg", "1.jpg", "b.jpg", "A10.jpg", "a9.jpg"]
        assert sorted(names, key=natural_key) == ["1.jpg", "2.jpg", "10.jpg", "a9.jpg", "A10.jpg", "b.jpg"]

    @pytest.mark.parametrize(("count", "holdout", "kept"), [(3, None, 1), (25, None, 2), (5, 4, 4), (3, 0, 0)])
    def test_the_last_are_held_out(self, tmp_path, count, holdout, kept):
        for i in range(1, count + 1):
            joined(tmp_path / f"{i}.png", i, i)
        data = pairs_of(tmp_path, holdout=holdout)
        assert [p.name for p in data.validation.shelf.entries] == [str(i) for i in range(count - kept + 1, count + 1)]
        assert len(data.train) == count - kept

    def test_nothing_left_to_train_on(self, tmp_path):
        for i in range(1, 4):
            joined(tmp_path / f"{i}.png", i, i)
        found = caught(tmp_path, holdout=3)
        assert found.code == "E601"
        assert "has 3 pairs, and holdout keeps 3" in found.message


class TestSizes:
    def test_any_size_and_shape_is_resized_to_load(self, tmp_path):
        joined(tmp_path / "1.png", 1, 2, half=(30, 11))
        joined(tmp_path / "2.png", 3, 4, half=(9, 50))
        joined(tmp_path / "3.png", 3, 4, half=(7, 7))
        data = pairs_of(tmp_path, load=(20, 24), crop=(16, 8), joined=True)
        assert [i.shape for pair in data.train.read([0, 1]) for i in pair] == [(20, 24, 3)] * 4
        assert data.validation.read([0])[0][0].shape == (16, 8, 3)

    @pytest.mark.parametrize(
        ("settings", "load", "crop"),
        [
            ({}, (12, 16), (12, 16)),
            ({"load": 20}, (20, 20), (12, 16)),
            ({"crop": (8, 10)}, (8, 10), (8, 10)),
        ],
    )
    def test_defaults_come_from_the_generator(self, tmp_path, settings, load, crop):
        for i in range(2):
            joined(tmp_path / f"{i}.png", i, i)
        data = pairs_of(tmp_path, size=(12, 16), **settings)
        assert (data.train.format.size, data.crop) == (load, crop)

    def test_one_channel_for_either_side(self, tmp_path):
        for i in range(2):
            joined(tmp_path / f"{i}.png", 10, 20)
        data = opened(tmp_path, DataSettings(direction="b_to_a"), size=(8, 8), source=Side(1))
        assert [i.shape for i in data.train.read([0])[0]] == [(8, 8, 1), (8, 8, 3)]
        assert levels(data.train) == [("0", 20, 10)]

    def test_halves_and_their_resizing_are_exact(self, tmp_path):
        numbers = np.random.default_rng(0)
        pixels = numbers.integers(0, 256, (12, 20, 3), dtype=np.uint8)
        for name in "ab":
            Image.fromarray(pixels).save(tmp_path / f"{name}.png")
        (first, second) = pairs_of(tmp_path, size=(12, 10), joined=True).train.read([0])[0]
        assert np.array_equal(np.concatenate((first, second), axis=1), pixels)


class TestMemory:
    def test_a_large_set_is_read_again_and_equal(self, scenes):
        cached = opened(scenes, DataSettings(), size=(16, 16))
        read = opened(scenes, DataSettings(), size=(16, 16), most_in_memory=1000)
        assert cached.train.shelf.kept is not None
        assert read.train.shelf.kept is None
        for kept, again in zip(cached.train.read([3, 0]), read.train.read([3, 0]), strict=True):
            assert all(map(np.array_equal, kept, again))

    def test_a_file_that_goes_later_is_an_error(self, tmp_path):
        write_scenes(tmp_path / "s", count=3, size=(32, 32), seed=0, validation=1)
        data = opened(tmp_path / "s", DataSettings(), size=(16, 16), most_in_memory=1000)
        (tmp_path / "s" / "train" / "0002.png").unlink()
        data.train.read([0])
        with pytest.raises(CatError, match=r"E602"):
            data.train.read([1])

    def test_the_fingerprint_follows_the_files_not_the_place(self, tmp_path):
        for folder in "ab":
            for i in range(3):
                joined(tmp_path / folder / f"{i}.png", i, i)
        first, second = (pairs_of(tmp_path / f).fingerprint for f in "ab")
        joined(tmp_path / "b" / "0.png", 0, 200, half=(31, 17))
        assert first == second != pairs_of(tmp_path / "b").fingerprint


class TestErrors:
    def test_no_such_folder(self, tmp_path):
        found = caught(tmp_path / "none")
        assert found.code == "E601"
        assert "does not exist" in found.message

    def test_a_file_instead_of_a_folder(self, tmp_path):
        grey(tmp_path / "a.png", 0)
        assert "is a file" in caught(tmp_path / "a.png").message

    def test_an_empty_folder_says_what_was_looked_for(self, tmp_path):
        (tmp_path / "photo").mkdir()
        (tmp_path / "label").mkdir()
        found = caught(tmp_path)
        assert found.code == "E601"
        assert "its folders are label, photo" in found.notes[0]
        assert any("trainA" in note for note in found.notes)

    def test_one_of_two_folders(self, tmp_path):
        grey(tmp_path / "trainA" / "1.png", 0)
        found = caught(tmp_path)
        assert found.code == "E601"
        assert f"its partner {tmp_path / 'trainB'} has none" in found.message

    def test_all_odd_files_in_one_list(self, tmp_path):
        for i in range(4):
            joined(tmp_path / f"good{i}.png", 1, 2)
        (tmp_path / "text.png").write_text("no image")
        (tmp_path / "empty.jpg").write_bytes(b"")
        (tmp_path / "torn.png").write_bytes((tmp_path / "good0.png").read_bytes()[:50])
        grey(tmp_path / "odd.png", 0, size=(8, 9))
        found = caught(tmp_path)
        assert found.code == "E602"
        assert found.message.startswith("4 image files")
        for part in (
            "text.png is no picture of a format that is read",
            "empty.jpg is empty",
            "torn.png cannot",
            "odd.png is 9 wide",
        ):
            assert sum(part in note for note in found.notes) == 1, part
        assert found.help

    def test_partners_that_are_missing_or_differ(self, tmp_path):
        for name in "123":
            grey(tmp_path / "A" / f"{name}.png", 0)
            grey(tmp_path / "B" / f"{name}.png", 0)
        grey(tmp_path / "A" / "4.png", 0)
        grey(tmp_path / "B" / "5.png", 0)
        grey(tmp_path / "B" / "3.png", 0, size=(8, 10))
        grey(tmp_path / "A" / "1.bmp", 0)
        found = caught(tmp_path)
        assert found.code == "E602"
        notes = [note.removeprefix(f"{tmp_path}/").replace(str(tmp_path), "DIR") for note in found.notes]
        assert sorted(notes) == [
            "A/1.png has the same name as 1.bmp",
            "A/3.png is 8x8, but its partner is 8x10 (height x width)",
            "A/4.png has no partner in DIR/B",
            "B/5.png has no partner in DIR/A",
        ]

    def test_a_long_list_is_cut(self, tmp_path):
        for i in range(25):
            (tmp_path / f"{i}.png").write_text("no image")
        found = caught(tmp_path)
        assert found.message.startswith("25 image files")
        assert len(found.notes) == 11
        assert found.notes[-1] == "and 15 more"

    def test_a_broken_validation_file_is_found_before_training(self, tmp_path):
        joined(tmp_path / "train" / "1.png", 0, 0)
        (tmp_path / "test").mkdir()
        (tmp_path / "test" / "1.png").write_text("no image")
        assert caught(tmp_path).code == "E602"

    def test_settings_that_do_not_fit(self, tmp_path):
        found = caught(tmp_path, load=16, crop=32)
        assert found.code == "E607"
        assert "32x32" in found.message
        assert "16x16" in found.message
        with pytest.raises(CatError, match=r"E607.*5 to 3 channels"):
            opened(tmp_path, DataSettings(), size=(8, 8), source=Side(5))


def test_pairs_cannot_be_changed(paired):
    with pytest.raises(AttributeError):
        paired.train.shelf = ()
    assert replace(paired, flip=False).flip is False
