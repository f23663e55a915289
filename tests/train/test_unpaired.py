"""Two sides that have nothing to do with each other: layouts, rounds, crops, and what can be wrong with them."""

from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from catdsl.diagnostics import CatError
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.batches import plain_batches, training_batches
from catdsl.train.data.sides import Side
from tests.train.opened import opened


def grey(path, level, size=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size[1], size[0]), (level,) * 3).save(path)


def two_sides(folder, inputs, targets, *, a="A", b="B"):
    """Images of one level each: 0, 1, ... on side A, 100, 101, ... on side B."""
    for side, count, first in ((a, inputs, 0), (b, targets, 100)):
        for i in range(count):
            grey(folder / side / f"{'horse' if side == a else 'zebra'} {i}.png", first + i)
    return folder


def sides_of(folder, *, size=(8, 8), source=Side(3), target=Side(3), most=2**30, **settings):  # noqa: B008
    return opened(
        folder, DataSettings(**{"kind": "unpaired", **settings}), size=size, source=source, target=target,
        most_in_memory=most,
    )  # fmt: skip


def levels(images_BCHW):
    return images_BCHW[:, 0, 0, 0].add(1).mul(127.5).round().long().tolist()


def shown(data, *, batch, steps, seed=0):
    """Levels of inputs and of targets, in the order in which they are shown."""
    batches = training_batches(data, batch=batch, seed=seed)
    made = [batches.at(step) for step in range(steps)]
    return [[level for b in made for level in levels(getattr(b, side))] for side in ("input_BCHW", "target_BCHW")]


class TestLayouts:
    @pytest.mark.parametrize(
        ("a", "b"), [("A", "B"), ("trainA", "trainB"), ("train/A", "train/B"), ("A/train", "B/train")]
    )
    def test_names_need_not_match(self, tmp_path, a, b):
        data = sides_of(two_sides(tmp_path, 3, 5, a=a, b=b), holdout=0)
        assert (data.train.counts, len(data.train), len(data.validation)) == ((3, 5), 5, 0)

    @pytest.mark.parametrize(("direction", "counts", "items"), [("a_to_b", (2, 3), 2), ("b_to_a", (3, 2), 3)])
    def test_validation_shows_each_input_once(self, tmp_path, direction, counts, items):
        two_sides(tmp_path, 4, 4, a="trainA", b="trainB")
        data = sides_of(two_sides(tmp_path, 2, 3, a="testA", b="testB"), direction=direction, holdout=1)
        assert (data.validation.counts, len(data.validation)) == (counts, items)
        (batch,) = plain_batches(data.validation, batch=8)
        sides = [levels(batch.input_BCHW), levels(batch.target_BCHW)]
        assert sides == ([[0, 1], [100, 101]] if direction == "a_to_b" else [[100, 101, 102], [0, 1, 0]])

    @pytest.mark.parametrize(("holdout", "kept"), [(None, (2, 3)), (2, (2, 2)), (0, (0, 0))])
    def test_the_last_of_each_side_are_held_out(self, tmp_path, holdout, kept):
        data = sides_of(two_sides(tmp_path, 12, 30), holdout=holdout)
        assert data.validation.counts == kept
        assert data.train.counts == (12 - kept[0], 30 - kept[1])
        if holdout == 2:
            (batch,) = plain_batches(data.validation, batch=8)
            assert (levels(batch.input_BCHW), levels(batch.target_BCHW)) == ([10, 11], [128, 129])

    def test_sizes_modes_and_names_of_all_sorts(self, tmp_path):
        two_sides(tmp_path, 2, 2)
        Image.fromarray(np.full((30, 11), 140 * 257, np.uint16)).save(tmp_path / "A" / "deep ü#%.png")
        Image.new("L", (9, 50), 41).save(tmp_path / "A" / "grey.tif")
        Image.new("RGBA", (5, 6), (42, 42, 42, 255)).save(tmp_path / "A" / "clear.webp", lossless=True)
        turned = Image.new("RGB", (20, 10), (200,) * 3)
        turned.paste((43,) * 3, (0, 0, 10, 10))
        exif = Image.Exif()
        exif[0x0112] = 6  # the left half of the file is the upper half of the picture
        turned.save(tmp_path / "B" / "turned.png", exif=exif)
        data = sides_of(tmp_path, holdout=0, load=(16, 24), crop=(16, 16))
        items = data.train.read(range(5))
        assert {i.shape for pair in items for i in pair} == {(16, 24, 3)}
        assert [int(i[0, 0, 0]) for i, _ in items] == [42, 140, 41, 0, 1]
        upper, lower = items[0][1][1, :, 0], items[0][1][-2, :, 0]
        assert (set(upper.tolist()), set(lower.tolist())) == ({43}, {200})

    def test_channels_of_either_side(self, tmp_path):
        data = sides_of(two_sides(tmp_path, 2, 2), source=Side(1), direction="b_to_a", holdout=0)
        (source, target), *_ = data.train.read([0])
        assert (source.shape, target.shape) == ((8, 8, 1), (8, 8, 3))
        assert source[0, 0, 0] == 100


class TestRounds:
    @pytest.mark.parametrize(("inputs", "targets", "batch"), [(3, 20, 1), (20, 3, 4), (7, 7, 3), (1, 9, 5)])
    def test_no_image_is_shown_twice_more_often_than_another(self, tmp_path, inputs, targets, batch):
        data = sides_of(two_sides(tmp_path, inputs, targets), holdout=0)
        for side, count in zip(shown(data, batch=batch, steps=60 // batch), (inputs, targets), strict=True):
            for length in range(1, len(side)):
                times = Counter(side[:length])
                assert max(times.values()) - min(times.values() if len(times) == count else [0]) <= 1

    def test_an_epoch_is_as_long_as_the_larger_side(self, tmp_path):
        data = sides_of(two_sides(tmp_path, 4, 13), holdout=0)
        assert [training_batches(data, batch=b, seed=0).steps_per_epoch for b in (1, 3, 13)] == [13, 4, 1]
        with pytest.raises(CatError, match=r"E601.*13 training images"):
            training_batches(data, batch=14, seed=0)

    def test_sides_are_shuffled_apart_and_anew(self, tmp_path):
        data = sides_of(two_sides(tmp_path, 8, 8), holdout=0)
        inputs, targets = shown(data, batch=1, steps=80)
        rounds = [tuple(inputs[i : i + 8]) for i in range(0, 80, 8)]
        assert all(sorted(r) == list(range(8)) for r in rounds)
        assert len(set(rounds)) == 10
        partners = {(a, b) for a, b in zip(inputs, targets, strict=True)}
        assert len(partners) > 40
        assert shown(data, batch=1, steps=80) == [inputs, targets] != shown(data, batch=1, steps=80, seed=1)

    def test_crops_and_flips_are_drawn_for_each_side(self, tmp_path):
        rows, columns = np.meshgrid(np.arange(12), np.arange(14), indexing="ij")
        image = np.stack((rows, columns, rows), -1).astype(np.uint8)
        for side in "AB":
            (tmp_path / side).mkdir()
            Image.fromarray(image).save(tmp_path / side / "1.png")
        data = sides_of(tmp_path, size=(8, 9), load=(12, 14), crop=(8, 9), holdout=0)
        batches = training_batches(data, batch=1, seed=0)
        windows = [[], []]
        for step in range(120):
            batch = batches.at(step)
            for side, images in enumerate((batch.input_BCHW, batch.target_BCHW)):
                pixels = images[0].add(1).mul(127.5).round().long()
                left, right = pixels[1, 0, 0].item(), pixels[1, 0, -1].item()
                windows[side].append((pixels[0, 0, 0].item(), min(left, right), left > right))
        for side in windows:
            assert {top for top, _, _ in side} == set(range(5))
            assert {left for _, left, _ in side} == set(range(6))
            assert 0.35 < np.mean([mirrored for *_, mirrored in side]) < 0.65
        for part in range(3):
            same = np.mean([a[part] == b[part] for a, b in zip(*windows, strict=True)])
            assert same < 0.65, "the sides are cut alike"

    def test_uncached_equals_cached(self, tmp_path):
        two_sides(tmp_path, 5, 3)
        kept, read = (sides_of(tmp_path, size=(6, 6), load=8, holdout=1, most=most) for most in (2**30, 100))
        assert (kept.train.inputs.kept is None, read.train.inputs.kept is None) == (False, True)
        for step in range(10):
            one, two = (training_batches(data, batch=2, seed=0).at(step) for data in (kept, read))
            assert torch.equal(one.input_BCHW, two.input_BCHW)
            assert torch.equal(one.target_BCHW, two.target_BCHW)


class TestErrors:
    def caught(self, folder, **options):
        with pytest.raises(CatError) as found:
            sides_of(folder, **options)
        (one,) = found.value.diagnostics
        return one

    def test_one_side_is_empty(self, tmp_path):
        two_sides(tmp_path, 0, 3)
        (tmp_path / "A").mkdir()
        found = self.caught(tmp_path)
        assert (found.code, f"its partner {tmp_path / 'A'} has none" in found.message) == ("E601", True)

    def test_plain_images_are_no_two_sides(self, tmp_path):
        for i in range(3):
            grey(tmp_path / f"{i}.png", i)
        found = self.caught(tmp_path)
        assert found.code == "E601"
        assert "3 image files of its own" in found.notes[0]

    def test_nothing_left_of_the_smaller_side(self, tmp_path):
        found = self.caught(two_sides(tmp_path, 2, 9), holdout=2)
        assert (found.code, f"{tmp_path / 'A'} has 2 images" in found.message) == ("E601", True)

    def test_all_odd_files_of_both_sides(self, tmp_path):
        two_sides(tmp_path, 3, 3, a="trainA", b="trainB")
        two_sides(tmp_path, 1, 1, a="valA", b="valB")
        for place in ("trainA", "trainB", "valB"):
            (tmp_path / place / "torn.png").write_text("no image")
        found = self.caught(tmp_path)
        assert found.code == "E602"
        assert len(found.notes) == 3


@pytest.mark.slow
def test_horses_and_zebras(root, tmp_path):
    source = root.parent / "shared" / "data" / "horse2zebra"
    if not source.is_dir():
        pytest.skip(f"{source} is not there")
    for side in ("trainA", "trainB"):
        (tmp_path / side).mkdir()
        for path in sorted((source / side).iterdir())[: 40 if side == "trainA" else 60]:
            (tmp_path / side / path.name).symlink_to(path)
    data = sides_of(tmp_path, size=(64, 64), load=72, holdout=5)
    assert (data.train.counts, data.validation.counts) == ((35, 55), (5, 5))
    batch = training_batches(data, batch=4, seed=0).at(20)
    assert batch.input_BCHW.shape == batch.target_BCHW.shape == (4, 3, 64, 64)
