"""Folders of label maps and photos: layouts, joint crops, edges, and every way in which they can be wrong."""

import numpy as np
import pytest
import torch
from PIL import Image

from catdsl.diagnostics import CatError
from catdsl.semantics.settings import DataSettings, TrainSettings
from catdsl.train.data.batches import plain_batches, training_batches
from catdsl.train.data.sides import LabelMap, Side
from catdsl.train.recipe import teacher_recipe
from catdsl.train.run_settings import run_settings
from tests.train.opened import opened


def side(classes, *, edges=False):
    return Side(classes + edges, LabelMap(classes, edges=edges))


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def street(folder, name, *, size=(12, 14), label=None, instance=None, places=("photo", "label", "instance")):
    """A photo whose pixels are its label times 20, and the maps of it."""
    if label is None:
        label = np.random.default_rng(len(name) + ord(name[-1])).integers(0, 5, size, dtype=np.uint8)
    save(folder / places[0] / f"{name}.png", (label[..., None] * np.array([20, 20, 20])).astype(np.uint8))
    save(folder / places[1] / f"{name}.png", label)
    if instance is not None:
        save(folder / places[2] / f"{name}.png", instance)


def labelled(folder, *, size=(12, 14), source=None, most=2**30, **settings):
    settings = DataSettings(**{"kind": "labels", **settings})
    return opened(folder, settings, size=size, source=source or side(5), most_in_memory=most)


def caught(folder, **options):
    with pytest.raises(CatError) as found:
        labelled(folder, **options)
    (one,) = found.value.diagnostics
    return one


PLACES = [
    ("photo", "label", "instance"),
    ("train/photo", "train/label", "train/instance"),
    ("images", "labels", "instances"),
    ("train/images", "train/labels", "train/instances"),
    ("train_img", "train_label", "train_inst"),
    ("images/training", "annotations/training", "instances/training"),
]


class TestLayouts:
    @pytest.mark.parametrize("places", PLACES)
    @pytest.mark.parametrize("edges", [False, True])
    def test_where_they_lie(self, tmp_path, places, edges):
        for name in ("s1", "s2", "s10"):
            street(tmp_path, name, instance=np.zeros((12, 14), np.uint16), places=places)
        data = labelled(tmp_path, source=side(5, edges=edges))
        assert [item.name for item in data.train.shelf.entries] == ["s1", "s2"]
        assert [item.name for item in data.validation.shelf.entries] == ["s10"]

    @pytest.mark.parametrize("split", ["val", "validation", "test"])
    @pytest.mark.parametrize("form", ["{split}/{role}", "{split}_{role}"])
    def test_validation_folders(self, tmp_path, split, form):
        for part, names in (("train", "ab"), (split, "c")):
            for name in names:
                street(tmp_path, name, places=[form.format(split=part, role=r) for r in ("img", "label", "inst")])
        data = labelled(tmp_path, holdout=1)
        assert (len(data.train), len(data.validation)) == (2, 1)

    def test_the_fingerprint_follows_instances_only_where_they_are_used(self, tmp_path):
        for name in "ab":
            street(tmp_path, name, instance=np.zeros((12, 14), np.uint8))
        before = [labelled(tmp_path, source=side(5, edges=e)).fingerprint for e in (False, True)]
        street(tmp_path, "a", instance=np.random.default_rng(0).integers(0, 9, (12, 14), dtype=np.uint8))
        after = [labelled(tmp_path, source=side(5, edges=e)).fingerprint for e in (False, True)]
        assert before[0] == after[0]
        assert before[1] != after[1]


class TestTensors:
    def test_photo_labels_and_edges_are_cut_alike(self, tmp_path):
        for name in "abc":
            numbers = np.random.default_rng(ord(name))
            label = numbers.integers(0, 5, (12, 14), dtype=np.uint8)
            street(tmp_path, name, label=label, instance=(label // 2).astype(np.uint16) * 300)
        data = labelled(tmp_path, source=side(5, edges=True), size=(8, 9), load=(12, 14), crop=(8, 9), holdout=0)
        whole = {b.target_BCHW.numpy().tobytes(): b.input_BCHW[0, 5] for b in plain_batches(data.train, batch=1)}
        batches = training_batches(data, batch=3, seed=0)
        for step in range(20):
            batch = batches.at(step)
            assert batch.input_BCHW.shape == (3, 6, 8, 9)
            assert set(batch.input_BCHW.unique().tolist()) == {0, 1}
            index = batch.input_BCHW[:, :5].argmax(1)
            level = batch.target_BCHW[:, 0].add(1).mul(127.5).round().long()
            assert torch.equal(index * 20, level)
            for photo, edges in zip(batch.target_BCHW, batch.input_BCHW[:, 5], strict=True):
                assert any(_lies_in(photo, edges, key, where) for key, where in whole.items())

    def test_edges_are_those_of_the_whole_map_and_not_of_a_crop(self, tmp_path):
        """One instance ends where the crop does: a crop by itself would show no edge there."""
        instance = np.zeros((8, 16), np.uint8)
        instance[:, 8:] = 1
        for name in "ab":
            street(tmp_path, name, size=(8, 16), instance=instance)
        data = labelled(tmp_path, source=side(5, edges=True), size=(8, 8), load=(8, 16), crop=(8, 8), flip=False)
        seen = set()
        for step in range(60):
            edges = training_batches(data, batch=1, seed=0).at(step).input_BCHW[0, 5, 0]
            seen.add(tuple(edges.nonzero().ravel().tolist()))
        # A window that ends (or begins) right at the border of the instance shows one half of the edge.
        assert {(7,), (0,), (3, 4)} <= seen
        assert () not in seen

    def test_ignored_pixels_are_zero(self, tmp_path):
        label = np.array([[0, 1], [255, 4]], np.uint8)
        for name in "ab":
            street(tmp_path, name, label=label)
        data = labelled(tmp_path, size=(8, 8), ignore=255)
        (batch,) = plain_batches(data.train, batch=1)
        assert batch.input_BCHW.sum(1)[0, ::4, ::4].tolist() == [[1, 1], [0, 1]]
        assert batch.input_BCHW[0, 4, 7, 7] == 1

    def test_many_classes_and_palettes(self, tmp_path):
        label = np.arange(144, dtype=np.uint16).reshape(12, 12) * 2
        for name in "ab":
            save(tmp_path / "photo" / f"{name}.png", np.zeros((12, 12, 3), np.uint8))
            save(tmp_path / "label" / f"{name}.png", label)
        (batch,) = plain_batches(labelled(tmp_path, size=(12, 12), source=side(287)).train, batch=1)
        assert torch.equal(batch.input_BCHW[0].argmax(0), torch.from_numpy(label.astype(np.int64)))
        image = Image.fromarray((label // 2 % 5).astype(np.uint8))
        image.putpalette([i * 40 for i in range(5) for _ in range(3)])
        for name in "ab":
            image.save(tmp_path / "label" / f"{name}.png")
        (batch,) = plain_batches(labelled(tmp_path, size=(12, 12)).train, batch=1)
        assert torch.equal(batch.input_BCHW[0].argmax(0), torch.from_numpy((label // 2 % 5).astype(np.int64)))

    def test_levels_become_classes_in_the_order_of_the_list(self, tmp_path):
        label = np.array([[0, 127], [255, 9]], np.uint8)
        for name in "ab":
            street(tmp_path, name, label=label)
        data = labelled(tmp_path, source=side(3), size=(8, 8), label_values=(255, 0, 127), ignore=9)
        (batch,) = plain_batches(data.train, batch=1)
        assert batch.input_BCHW.argmax(1)[0, ::4, ::4].tolist() == [[1, 2], [0, 0]]
        assert batch.input_BCHW.sum(1)[0, ::4, ::4].tolist() == [[1, 1], [1, 0]]
        note = caught(tmp_path, source=side(2), size=(8, 8), label_values=(0, 127)).notes[0]
        assert "holds labels 9, 255, and `label_values` in data { } does not list them" in note

    def test_uncached_equals_cached(self, tmp_path):
        for name in "abcd":
            street(tmp_path, name, instance=np.arange(168).reshape(12, 14).astype(np.uint8) // 9)
        options = {"source": side(5, edges=True), "size": (8, 8), "load": (10, 9), "holdout": 1}
        kept, read = (labelled(tmp_path, most=most, **options) for most in (2**30, 10))
        assert kept.train.shelf.kept[0][0].dtype == np.uint8
        assert read.train.shelf.kept is None
        for step in range(6):
            one, two = (training_batches(data, batch=3, seed=1).at(step) for data in (kept, read))
            assert torch.equal(one.input_BCHW, two.input_BCHW)
            assert torch.equal(one.target_BCHW, two.target_BCHW)


class TestErrors:
    def test_a_label_beyond_the_classes(self, tmp_path):
        for name in "abc":
            street(tmp_path, name)
        street(tmp_path, "b", label=np.full((12, 14), 37, np.uint8))
        found = caught(tmp_path)
        assert found.code == "E602"
        assert found.notes == (
            f"{tmp_path / 'label' / 'b.png'} holds label 37, and the generator takes 0 to 4; set `ignore` in data "
            "{ } to the label of pixels without a class, or raise the generator's classes; levels that do not number "
            "the classes are listed in `label_values`",
        )
        assert len(labelled(tmp_path, ignore=37).train) == 2

    def test_everything_odd_at_once(self, tmp_path):
        for name in "abcdefg":
            street(tmp_path, name, instance=np.zeros((12, 14), np.uint8))
        save(tmp_path / "label" / "a.png", np.zeros((12, 14, 3), np.uint8))
        save(tmp_path / "label" / "b.png", np.zeros((14, 12), np.uint8))
        (tmp_path / "label" / "c.png").write_text("no image")
        (tmp_path / "photo" / "c.png").write_text("no image")
        (tmp_path / "photo" / "d.png").unlink()
        (tmp_path / "instance" / "e.png").unlink()
        save(tmp_path / "instance" / "f.png", np.zeros((6, 7), np.uint8))
        plain = caught(tmp_path)
        notes = [note.removeprefix(f"{tmp_path}/").replace(str(tmp_path), "DIR") for note in plain.notes]
        assert sorted(notes) == [
            "label/a.png has colours (mode RGB), and a label map has one index per pixel",
            "label/b.png is 14x12, but its partner is 12x14 (height x width)",
            "label/c.png is no picture of a format that is read (PNG, JPEG, WEBP, TIFF, BMP, GIF, PPM, AVIF, JPEG2000)",
            "label/d.png has no partner in DIR/photo",
            "photo/c.png is no picture of a format that is read (PNG, JPEG, WEBP, TIFF, BMP, GIF, PPM, AVIF, JPEG2000)",
        ]
        edged = caught(tmp_path, source=side(5, edges=True))
        more = [
            n.removeprefix(f"{tmp_path}/").replace(str(tmp_path), "DIR") for n in set(edged.notes) - set(plain.notes)
        ]
        assert sorted(more) == [
            "instance/b.png is 12x14, but its label map is 14x12 (height x width)",
            "instance/f.png is 6x7, but its label map is 12x14 (height x width)",
            "label/e.png has no instance map in DIR/instance",
        ]

    @pytest.mark.parametrize("split", ["train", "val"])
    def test_edges_need_instances_in_either_split(self, tmp_path, split):
        for part in ("train", "val"):
            instance = None if part == split else np.zeros((12, 14), np.uint8)
            street(tmp_path / part, "x", instance=instance)
        found = caught(tmp_path, source=side(5, edges=True))
        assert found.code == "E601"
        assert "no instance maps lie beside" in found.message
        assert "edges = false" in found.help
        assert len(labelled(tmp_path).train) == 1

    def test_half_of_it(self, tmp_path):
        save(tmp_path / "train" / "photo" / "a.png", np.zeros((8, 8, 3), np.uint8))
        assert f"its partner {tmp_path / 'train' / 'label'} has none" in caught(tmp_path).message
        found = caught(tmp_path / "train" / "photo")
        assert found.code == "E601"
        assert "photos with label maps" in found.message

    def test_kinds_and_inputs_that_do_not_fit(self, tmp_path):
        for options, part in (
            ({"kind": "paired"}, "kind = paired gives images"),
            ({"kind": "unpaired"}, "kind = unpaired gives images"),
            ({"source": Side(3)}, "kind = labels gives label maps"),
            ({"direction": "b_to_a"}, "turns nothing round"),
        ):
            found = caught(tmp_path, **options)
            assert (found.code, part in found.message) == ("E607", True)


def test_settings_that_came_later_leave_earlier_runs_what_they_were(tmp_path):
    for name in "ab":
        street(tmp_path, name)

    def known(**settings):
        data = labelled(tmp_path, **settings)
        recipe = teacher_recipe(TrainSettings())
        return run_settings(recipe, data, DataSettings(kind="labels", **settings), seed=0, steps=None)

    plain, told = known(), known(label_values=(0, 1, 2, 3, 4))
    assert {name for name in plain if name.startswith("data.")} == {
        f"data.{name}" for name in ("kind", "direction", "load", "crop", "flip", "holdout", "ignore", "sizes", "files")
    }
    assert {name: told[name] for name in told.keys() - plain.keys()} == {"data.label_values": (0, 1, 2, 3, 4)}


@pytest.mark.slow
def test_camvid(root, tmp_path):
    source = root.parent / "shared" / "data" / "camvid" / "train"
    if not source.is_dir():
        pytest.skip(f"{source} is not there")
    for part in ("photo", "label"):
        (tmp_path / part).mkdir()
        for path in sorted((source / part).iterdir())[:12]:
            (tmp_path / part / path.name).symlink_to(path)
    data = labelled(tmp_path, size=(90, 120), source=side(11), ignore=11)
    batch = training_batches(data, batch=4, seed=0).at(1)
    assert batch.input_BCHW.shape == (4, 11, 90, 120)
    assert set(batch.input_BCHW.sum(1).unique().tolist()) == {0, 1}
    assert "holds label 11" in caught(tmp_path, source=side(11)).notes[0]


def _lies_in(photo_CHW, edges_HW, whole_photo, whole_edges_HW):
    """Whether photo and edges are one window of a training image, perhaps mirrored."""
    whole_CHW = torch.from_numpy(np.frombuffer(whole_photo, np.float32).reshape(3, 12, 14).copy())
    for top in range(5):
        for left in range(6):
            for turn in (lambda t: t, lambda t: t.flip(-1)):
                window = turn(whole_CHW[:, top : top + 8, left : left + 9])
                if torch.equal(window, photo_CHW):
                    return torch.equal(turn(whole_edges_HW[top : top + 8, left : left + 9]), edges_HW)
    return False
