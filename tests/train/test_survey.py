"""What a folder is taken for, and what is said of its files."""

import numpy as np
import pytest
from PIL import Image

from catdsl.diagnostics import CatError
from catdsl.train.data.survey import survey


def scene(seed, size=(16, 16)):
    """Soft ground from dark to bright: nothing in it looks like the border of two images."""
    rows, columns = np.meshgrid(np.arange(size[0]), np.arange(size[1]), indexing="ij")
    return np.repeat((seed + 3 * rows + 4 * columns)[..., None] % 250, 3, -1).astype(np.uint8) // 2


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)
    return path


def fill(folder, names, *, size=(16, 16), level=0):
    for i, name in enumerate(names):
        save(folder / f"{name}.png", scene(level + i, size))


def pairs_side_by_side(folder, count, size=(16, 16)):
    for i in range(count):
        save(folder / f"{i}.png", np.concatenate((scene(0, size), 255 - scene(0, size)), axis=1))


class TestKinds:
    @pytest.mark.parametrize("size", [(16, 16), (12, 16), (20, 12)])
    @pytest.mark.parametrize("place", ["", "train"])
    def test_side_by_side(self, tmp_path, size, place):
        pairs_side_by_side(tmp_path / place, 4, size)
        found = survey(tmp_path)
        assert (found.reading.kind, found.reading.joined, found.others) == ("paired", True, ())
        assert found.images["A|B"].usual == size

    @pytest.mark.parametrize("size", [(16, 16), (12, 16), (9, 16), (10, 15)])
    def test_plain_images_are_not_side_by_side(self, tmp_path, size):
        fill(tmp_path, "abcd", size=size)
        with pytest.raises(CatError, match=r"E601.*holds 4 images of one side"):
            survey(tmp_path)

    def test_two_folders_by_their_names(self, tmp_path):
        for part, names in (("same", "abcd"), ("most", "abcx"), ("few", "axyz")):
            fill(tmp_path / part / "A", "abcd")
            fill(tmp_path / part / "B", names, level=90)
        found = {part: survey(tmp_path / part) for part in ("same", "most", "few")}
        kinds = {part: (seen.reading.kind, seen.others) for part, seen in found.items()}
        assert kinds == {"same": ("paired", ("unpaired",)), "most": ("paired", ("unpaired",)), "few": ("unpaired", ())}
        assert [file.path.name for file in found["most"].odd] == ["d.png", "x.png"]
        assert found["few"].odd == ()

    def test_equal_names_of_other_sizes_are_two_sides(self, tmp_path):
        for i in range(6):
            fill(tmp_path / "trainA", [str(i)], size=(16, 16 + i))
            fill(tmp_path / "trainB", [str(i)], size=(18 - i, 9))
        assert (survey(tmp_path).reading.kind, survey(tmp_path).odd) == ("unpaired", ())

    def test_targets_that_are_larger(self, tmp_path):
        fill(tmp_path / "A", "abcde", size=(8, 10))
        fill(tmp_path / "B", "abcd", size=(32, 40))
        fill(tmp_path / "B", "e", size=(32, 44))
        found = survey(tmp_path)
        assert found.reading.kind == "paired"
        assert [(file.path.name, file.reason.split(",")[0]) for file in found.odd] == [("e.png", "is 8x10")]

    def test_labels_with_instances(self, tmp_path):
        for split, names in (("train", "abc"), ("val", "d")):
            for name in names:
                fill(tmp_path / f"{split}_img", name)
                save(tmp_path / f"{split}_label" / f"{name}.png", np.full((16, 16), "abcd".index(name), np.uint8))
                save(tmp_path / f"{split}_inst" / f"{name}.png", np.zeros((16, 16), np.uint16))
        found = survey(tmp_path)
        assert (found.reading.kind, found.reading.has_validation, found.odd) == ("labels", True, ())
        assert [(use.label, use.share, use.files) for use in found.labels] == [(i, 0.25, 1) for i in range(4)]
        assert [(p.purpose, p.role, len(p.files)) for p in found.reading.parts] == [
            (purpose, role, count)
            for purpose, count in (("train", 3), ("validation", 1))
            for role in ("photo", "label", "instance")
        ]


class TestFacts:
    def test_depth_orientation_and_shape(self, tmp_path):
        fill(tmp_path / "B", "abcde")
        fill(tmp_path / "A", "a")
        Image.new("L", (16, 16)).save(tmp_path / "A" / "b.png")
        save(tmp_path / "A" / "c.png", np.zeros((30, 20), np.uint16))
        exif = Image.Exif()
        exif[0x0112] = 8
        Image.new("RGB", (24, 10)).save(tmp_path / "A" / "d x ü.jpg", exif=exif)
        images = survey(tmp_path).images["A"]
        assert (images.count, images.grey, images.sixteen_bit, images.rotated, images.not_square) == (4, 2, 1, 1, 2)
        assert (images.smallest, images.usual, images.largest, images.of_usual_size) == (
            (24, 10),
            (16, 16),
            (30, 20),
            2,
        )

    def test_every_file_that_cannot_be_used(self, tmp_path):
        for name in "abcdef":
            fill(tmp_path / "photo", name)
            save(tmp_path / "label" / f"{name}.png", np.zeros((16, 16), np.uint8))
            save(tmp_path / "instance" / f"{name}.png", np.zeros((16, 16), np.uint8))
        save(tmp_path / "label" / "a.png", np.zeros((16, 16, 3), np.uint8))
        save(tmp_path / "label" / "b.png", np.zeros((8, 16), np.uint8))
        (tmp_path / "photo" / "c.png").write_bytes((tmp_path / "photo" / "d.png").read_bytes()[:60])
        (tmp_path / "instance" / "e.png").unlink()
        (tmp_path / "label" / "f.png").unlink()
        odd = {(file.path.parent.name, file.path.name) for file in survey(tmp_path).odd}
        assert odd == {
            ("label", "a.png"), ("photo", "c.png"), ("label", "e.png"), ("photo", "f.png"), ("instance", "f.png"),
            ("instance", "b.png"), ("label", "b.png"),
        }  # fmt: skip

    def test_odd_width_of_a_pair(self, tmp_path):
        pairs_side_by_side(tmp_path, 3)
        save(tmp_path / "x.png", scene(0, (16, 31)))
        assert [file.reason for file in survey(tmp_path).odd] == ["is 31 wide: an A|B image needs an even width"]


def test_nothing_at_all_tells_what_each_kind_missed(tmp_path):
    fill(tmp_path / "trainA", "ab")
    with pytest.raises(CatError) as found:
        survey(tmp_path)
    (one,) = found.value.diagnostics
    assert one.code == "E601"
    assert any(note.startswith("kind = unpaired") and "its partner" in note for note in one.notes)
    assert any("kind = labels: no photos with label maps" in note for note in one.notes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind", "counts"),
    [("facades", "paired", [400]), ("horse2zebra", "unpaired", [1067, 1334]), ("camvid", "labels", [367, 367])],
)
def test_real_folders(root, name, kind, counts):
    folder = root.parent / "shared" / "data" / name
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    found = survey(folder)
    assert (found.reading.kind, [len(p.files) for p in found.reading.parts], found.odd) == (kind, counts, ())
    assert [use.label for use in found.labels] == (list(range(12)) if name == "camvid" else [])
