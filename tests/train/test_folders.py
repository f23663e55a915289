"""What lies in a data folder besides the usual: every file is read or told of, and names need not be exact."""

import os
import unicodedata

import numpy as np
import pytest
from PIL import Image

from catdsl.diagnostics import CatError
from catdsl.jobs.inputs import read_input
from catdsl.semantics.settings import DataSettings
from catdsl.train.data.folders import MOST_DEEP, look_into
from catdsl.train.data.layouts import IMAGE_SUFFIXES, SUFFIXES_OF
from catdsl.train.data.sides import LabelMap, Side
from tests.train.opened import opened


def picture(path, level=9, size=(16, 16), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (size[1], size[0]), level if mode != "RGB" else (level,) * 3).save(path)
    return path


def two_folders(root, names="abc", *, a="trainA", b="trainB"):
    for name in names:
        picture(root / a / f"{name}.png")
        picture(root / b / f"{name}.png")
    return root


def paired(root, **settings):
    return opened(root, DataSettings(**settings), size=(16, 16))


def labelled(root, *, classes=34, edges=False, **settings):
    side = Side(classes + edges, LabelMap(classes, edges=edges))
    return opened(root, DataSettings(kind="labels", **settings), size=(16, 16), source=side)


def told(root, unused):
    return {str(file.path.relative_to(root)): file.reason for file in unused.files}


def caught(look, *arguments, **options):
    with pytest.raises(CatError) as found:
        look(*arguments, **options)
    (one,) = found.value.diagnostics
    return one


class TestEveryFile:
    @pytest.mark.parametrize("suffix", [".jfif", ".avif", ".jp2", ".jpx", ".pnm", ".apng", ".JPG"])
    def test_pictures_of_many_formats_are_read(self, tmp_path, suffix):
        two_folders(tmp_path)
        for side in "AB":
            Image.new("RGB", (16, 16)).save(
                tmp_path / f"train{side}" / f"x{suffix}", format=Image.registered_extensions()[suffix.lower()]
            )  # fmt: skip
        data = paired(tmp_path, holdout=0)
        assert (len(data.train), data.unused.files) == (4, ())

    def test_suffixes_are_those_that_pillow_has_for_the_formats(self):
        Image.init()
        known = {suffix for suffix, name in Image.registered_extensions().items() if name in SUFFIXES_OF}
        assert known == IMAGE_SUFFIXES

    def test_what_is_not_read_is_told_with_the_reason(self, tmp_path):
        two_folders(tmp_path)
        picture(tmp_path / "depth" / "1.png")
        picture(tmp_path / "over.png")
        for name in ("notes.txt", "trainA/raw.heic", "trainB/picture"):
            (tmp_path / name).write_text("x")
        (tmp_path / ".hidden").mkdir()
        (tmp_path / "trainA" / "._a.png").write_text("x")
        (tmp_path / "depth" / "gone.png").symlink_to("nowhere")
        data = paired(tmp_path, holdout=0)
        assert len(data.train) == 3
        assert data.unused.hidden == 2
        assert told(tmp_path, data.unused) == {
            "over.png": "lies right in the data folder, which is no part of the layout that is read",
            "notes.txt": "is not read, by its suffix .txt; if it is a picture, save it as PNG",
            "trainA/raw.heic": "is not read, by its suffix .heic; if it is a picture, save it as PNG",
            "trainB/picture": "has no suffix that names a format; if it is a picture, rename it (.png, .jpg)",
            "depth/1.png": "lies in depth, which is no part of the layout that is read",
            "depth/gone.png": "is a link to nowhere, which does not exist",
        }

    def test_a_second_validation_folder_is_told(self, tmp_path):
        for split in ("train", "val", "test"):
            two_folders(tmp_path, a=f"{split}A", b=f"{split}B")
        assert {name.split("/")[0] for name in told(tmp_path, paired(tmp_path).unused)} == {"testA", "testB"}

    @pytest.mark.parametrize("kind", ["dangling", "circle", "pipe"])
    @pytest.mark.parametrize("layout", ["paired", "unpaired", "labels", "joined"])
    def test_pictures_that_are_no_files_are_refused(self, tmp_path, kind, layout):
        first, second = {"labels": ("photo", "label")}.get(layout, ("A", "B"))
        if layout == "joined":
            first = "."
            for name in "ab":
                picture(tmp_path / f"{name}.png", size=(16, 32))
        else:
            for name in "ab":
                picture(tmp_path / first / f"{name}.png")
                picture(tmp_path / second / f"{name}.png", 1, mode="L")
        odd = tmp_path / first / "x.png"
        make = {"dangling": lambda: odd.symlink_to("nowhere.png"), "circle": lambda: odd.symlink_to("x.png"),
                "pipe": lambda: os.mkfifo(odd)}  # fmt: skip
        make[kind]()
        found = caught(labelled if layout == "labels" else paired, tmp_path) if layout != "unpaired" else caught(
            opened, tmp_path, DataSettings(kind="unpaired"), size=(16, 16)
        )  # fmt: skip
        assert found.code == "E602"
        reason = {"dangling": "is a link to nowhere.png, which does not exist", "circle": "links lead in a circle",
                  "pipe": "is a pipe"}[kind]  # fmt: skip
        assert any(f"{odd.name} " in note and reason in note for note in found.notes)

    def test_the_whole_other_side_is_gone(self, tmp_path):
        picture(tmp_path / "A" / "1.png")
        (tmp_path / "B").mkdir()
        (tmp_path / "B" / "1.png").symlink_to("/moved/1.png")
        found = caught(paired, tmp_path)
        assert "none that can be read" in found.message
        assert "is a link to /moved/1.png" in found.notes[0]


class TestFoldersThatCannotBeRead:
    @pytest.fixture
    def locked(self, monkeypatch):
        """A name of folders that the system does not let be listed."""
        real = os.scandir

        def scandir(path):
            if os.path.basename(path) == "locked" or os.path.basename(path).lower() == "trainb":
                raise PermissionError(13, "Permission denied", str(path))
            return real(path)

        monkeypatch.setattr("catdsl.train.data.layouts.os.scandir", scandir)

    def test_one_that_is_needed_is_an_error(self, tmp_path, locked):
        found = caught(paired, two_folders(tmp_path))
        assert (found.code, found.message) == (
            "E601", f"cannot read the folder {tmp_path / 'trainB'}: there is no permission to read it",
        )  # fmt: skip

    def test_another_one_is_told(self, tmp_path, locked):
        two_folders(tmp_path, a="A", b="B")
        (tmp_path / "locked").mkdir()
        assert told(tmp_path, paired(tmp_path).unused) == {
            "locked": "is not looked into: there is no permission to read it"
        }

    def test_links_that_lead_back(self, tmp_path):
        two_folders(tmp_path)
        (tmp_path / "again").symlink_to(tmp_path)
        (tmp_path / "trainA" / "up").symlink_to("..")
        (tmp_path / "loop").symlink_to("loop")
        reasons = told(tmp_path, paired(tmp_path).unused)
        assert reasons["again"] == "is not looked into: it is a link back to a folder that it lies in"
        assert reasons["trainA/up"] == reasons["again"]
        assert "links lead in a circle" in reasons["loop"]

    def test_a_side_may_be_a_link(self, tmp_path):
        two_folders(tmp_path / "elsewhere")
        (tmp_path / "data").mkdir()
        for side in "AB":
            (tmp_path / "data" / f"train{side}").symlink_to(tmp_path / "elsewhere" / f"train{side}")
        assert len(paired(tmp_path / "data", holdout=0).train) == 3

    def test_depth_and_number_are_bounded(self, tmp_path, monkeypatch):
        deep = two_folders(tmp_path)
        for i in range(MOST_DEEP + 3):
            deep = deep / f"d{i}"
        picture(deep / "x.png")
        (reason,) = told(tmp_path, paired(tmp_path).unused).values()
        assert f"more than {MOST_DEEP} folders deep" in reason
        monkeypatch.setenv("CATDSL_LIMITS", "files=5")
        found = caught(paired, tmp_path)
        assert found.code == "E601"
        assert "more than the limit of 5 files; raise it with `--limit files=" in found.message

    def test_the_data_folder_itself_in_a_circle(self, tmp_path):
        (tmp_path / "x").symlink_to("x")
        assert "circle" in caught(paired, tmp_path / "x").message


class TestNames:
    @pytest.mark.parametrize(
        ("a", "b"), [("TrainA", "TRAINB"), ("Train/A", "Train/b"), ("a", "b"), ("A/Train", "B/Train")]
    )
    def test_folders_in_another_case(self, tmp_path, a, b):
        assert len(paired(two_folders(tmp_path, a=a, b=b), holdout=0).train) == 3

    def test_roles_in_another_case(self, tmp_path):
        for name in "ab":
            picture(tmp_path / "Train" / "IMAGES" / f"{name}.png")
            picture(tmp_path / "Train" / "Labels" / f"{name}.png", 1, mode="L")
        assert len(labelled(tmp_path, holdout=0).train) == 2

    def test_two_folders_that_differ_only_in_case(self, tmp_path):
        two_folders(tmp_path, a="TrainA", b="trainB")
        picture(tmp_path / "TRAINA" / "a.png")
        assert "differ only in case" in caught(paired, tmp_path).message
        two_folders(tmp_path)
        assert {name.split("/")[0] for name in told(tmp_path, paired(tmp_path).unused)} == {"TRAINA", "TrainA"}

    @pytest.mark.parametrize("names", [
        ("Übung", unicodedata.normalize("NFD", "Übung")), ("A", "a"), ("STRASSE", "straße"),
    ])  # fmt: skip
    def test_partners_whose_names_differ_a_little(self, tmp_path, names):
        two_folders(tmp_path, "xy")
        picture(tmp_path / "trainA" / f"{names[0]}.PNG", 50)
        picture(tmp_path / "trainB" / f"{names[1]}.png", 60)
        data = paired(tmp_path, holdout=0)
        read = {p.name: [int(side[0, 0, 0]) for side in data.train.read([i])[0]]
                for i, p in enumerate(data.train.shelf.entries)}  # fmt: skip
        assert read[names[0]] == [50, 60]

    def test_exact_names_go_before(self, tmp_path):
        two_folders(tmp_path, ["a", "A"])
        data = paired(tmp_path, holdout=0)
        assert all(p.a.name == p.b.name for p in data.train.shelf.entries)

    def test_several_that_differ_a_little_are_named_as_the_cause(self, tmp_path):
        two_folders(tmp_path, "xy")
        picture(tmp_path / "trainA" / "tree.png")
        for name in ("Tree", "TREE"):
            picture(tmp_path / "trainB" / f"{name}.png")
        notes = caught(paired, tmp_path).notes
        assert f"{tmp_path / 'trainA' / 'tree.png'} has no partner in {tmp_path / 'trainB'}; TREE.png and Tree.png " \
            "differ from it only in case or Unicode form" in notes  # fmt: skip

    def test_instances_and_labels_find_each_other(self, tmp_path):
        for name in "ab":
            picture(tmp_path / "photo" / f"{name}.png")
            picture(tmp_path / "label" / f"{name.upper()}.png", 1, mode="L")
            picture(tmp_path / "instance" / f"{name}.png", 1, mode="L")
        data = labelled(tmp_path, edges=True, holdout=0)
        assert [item.instance.name for item in data.train.shelf.entries] == ["a.png", "b.png"]


class TestOneFolderDeeper:
    def test_the_only_one_is_read(self, tmp_path):
        two_folders(tmp_path / "horse2zebra")
        picture(tmp_path / "other" / "x.png")
        data = paired(tmp_path, holdout=0)
        assert len(data.train) == 3
        assert list(told(tmp_path, data.unused)) == ["other/x.png"]

    def test_several_are_told_by_name(self, tmp_path):
        two_folders(tmp_path / "horses")
        two_folders(tmp_path / "maps")
        found = caught(paired, tmp_path)
        assert "2 folders with paired images: horses, maps" in found.message
        assert found.help == f"give one of them, for example {tmp_path / 'horses'}"

    def test_nothing_is_trained_on_what_is_for_validation(self, tmp_path):
        found = caught(paired, two_folders(tmp_path, a="Val/A", b="Val/B"))
        assert "no paired images" in found.message
        assert "its folders are Val" in found.notes[0]

    def test_half_of_one(self, tmp_path):
        picture(tmp_path / "horses" / "trainA" / "1.png")
        assert f"partner {tmp_path / 'horses' / 'trainB'} has none" in caught(paired, tmp_path).message

    def test_images_of_whatever_kind_are_not_taken_for_pairs(self, tmp_path):
        for i in range(3):
            picture(tmp_path / "holiday" / f"{i}.png", size=(16, 32))
        found = caught(paired, tmp_path)
        assert "its folders are holiday (3 image files)" in found.notes[0]
        assert found.help.endswith(f"or give the folder that holds them, for example {tmp_path / 'holiday'}")


class TestEndings:
    @pytest.mark.parametrize("place", ["", "train"])
    @pytest.mark.parametrize("endings", [("_A", "_B"), ("_a", "_B")])
    def test_pairs_in_one_folder(self, tmp_path, place, endings):
        for i in range(3):
            for side, ending in enumerate(endings):
                picture(tmp_path / place / f"{i}{ending}.png", 100 * side + i)
        picture(tmp_path / place / "cover.png")
        data = paired(tmp_path, holdout=0)
        assert [[int(s[0, 0, 0]) for s in data.train.read([i])[0]] for i in range(3)] == [
            [i, 100 + i] for i in range(3)
        ]
        assert [os.path.basename(name) for name in told(tmp_path, data.unused)] == ["cover.png"]

    def test_one_without_partner(self, tmp_path):
        for name in ("1_A", "1_B", "2_A", "2_B", "3_A"):
            picture(tmp_path / f"{name}.png")
        assert caught(paired, tmp_path).notes == (f"{tmp_path / '3_A.png'} has no partner that ends in _B",)

    def test_two_sides(self, tmp_path):
        for name in ("1_A", "2_A", "x_B", "y_B", "z_B"):
            picture(tmp_path / f"{name}.png")
        data = opened(tmp_path, DataSettings(kind="unpaired", holdout=0), size=(16, 16))
        assert data.train.counts == (2, 3)


class TestCityscapes:
    def city(self, root, *, labels="_gtFine_labelIds", cities=("aachen", "bochum"), split="train"):
        for place in cities:
            for i in range(2):
                name = f"{place}_{i:06}"
                picture(root / "leftImg8bit" / split / place / f"{name}_leftImg8bit.png", 10 * i)
                maps = root / "gtFine" / split / place
                picture(maps / f"{name}{labels}.png", 7 + i, mode="L")
                picture(maps / f"{name}_gtFine_instanceIds.png", 7 + i, mode="L")
                picture(maps / f"{name}_gtFine_color.png")
                (maps / f"{name}_gtFine_polygons.json").write_text("{}")
        return root

    def test_as_it_is_unpacked(self, tmp_path):
        self.city(tmp_path)
        data = labelled(self.city(tmp_path, cities=("ulm",), split="val"), edges=True)
        assert [item.name for item in data.train.shelf.entries] == [
            "aachen_000000", "aachen_000001", "bochum_000000", "bochum_000001",
        ]  # fmt: skip
        assert len(data.validation) == 2
        packed, photo = data.train.read([1])[0]
        assert (packed[0, 0].tolist(), photo[0, 0, 0]) == ([8, 0], 10)
        assert {name.rpartition("_gtFine_")[2] for name in told(tmp_path, data.unused)} == {
            "color.png",
            "polygons.json",
        }

    def test_maps_of_the_training_classes(self, tmp_path):
        data = labelled(self.city(tmp_path, labels="_gtFine_labelTrainIds"), classes=19, holdout=0)
        assert len(data.train) == 4
        self.city(tmp_path)
        data = labelled(tmp_path, holdout=0)
        assert data.train.shelf.entries[0].label.stem.endswith("labelIds")
        assert any("labelTrainIds" in name for name in told(tmp_path, data.unused))

    def test_one_file_with_its_instances(self, tmp_path):
        path = self.city(tmp_path) / "gtFine/train/ulm/ulm_000001_gtFine_labelIds.png"
        self.city(tmp_path, cities=("ulm",))
        image = read_input(path, Side(35, LabelMap(34, edges=True)))
        assert image[:, 0, 0].nonzero().ravel().tolist() == [8]
        path.with_name("ulm_000001_gtFine_instanceIds.png").unlink()
        assert "has no instance map" in read_input(path, Side(35, LabelMap(34, edges=True))).reason

    def test_photos_alone(self, tmp_path):
        for path in self.city(tmp_path).glob("gtFine/*/*/*"):
            path.unlink()
        found = caught(labelled, tmp_path)
        assert f"partner {tmp_path / 'gtFine' / 'train'} has none" in found.message

    def test_one_without_label(self, tmp_path):
        (self.city(tmp_path) / "gtFine/train/aachen/aachen_000001_gtFine_labelIds.png").unlink()
        notes = caught(labelled, tmp_path).notes
        assert len(notes) == 1
        assert "aachen_000001_leftImg8bit.png has no partner in" in notes[0]


class TestSingleImages:
    def photo(self, path, seed, size):
        """Soft hills: one scene from left to right."""
        numbers = np.random.default_rng(seed)
        rows, columns = np.meshgrid(np.arange(size[0]), np.arange(size[1]), indexing="ij")
        waves = sum(np.sin(rows / numbers.uniform(3, 9) + columns / numbers.uniform(5, 20)) for _ in range(3))
        levels = (120 + 30 * waves).astype(np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.stack((levels, 255 - levels, levels), -1)).save(path)

    @pytest.mark.parametrize("size", [(32, 32), (32, 64), (30, 40), (24, 48)])
    @pytest.mark.parametrize("place", ["", "train"])
    def test_they_are_not_cut_in_two(self, tmp_path, size, place):
        for i in range(6):
            self.photo(tmp_path / place / f"{i}.png", i, size)
        found = caught(paired, tmp_path)
        assert (found.code, "6 images of one side" in found.message) == ("E601", True)
        assert "joined = true" in found.help
        assert len(paired(tmp_path, joined=True, holdout=0).train) == 6

    def test_one_among_others(self, tmp_path):
        for i in range(4):
            picture(tmp_path / f"{i}.png", size=(16, 32))
        self.photo(tmp_path / "photo.png", 0, (16, 16))
        notes = caught(paired, tmp_path).notes
        assert len(notes) == 1
        assert "photo.png looks like one image" in notes[0]
        data = paired(tmp_path, joined=True, holdout=0)
        assert (len(data.train), data.joined) == (5, True)

    def test_none_that_are_joined(self, tmp_path):
        for i in range(3):
            picture(tmp_path / f"{i}.png", size=(16, 32))
        assert "no paired images" in caught(paired, tmp_path, joined=False).message
        assert paired(two_folders(tmp_path), joined=False).joined is False


def test_looking_opens_no_file(tmp_path, monkeypatch):
    two_folders(tmp_path)
    monkeypatch.setattr("builtins.open", lambda *a, **k: pytest.fail("a file was opened"))
    assert len(look_into(tmp_path, ()).at("traina").pictures) == 3
