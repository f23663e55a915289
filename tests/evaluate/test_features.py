"""Features are torch-fidelity's, of each image once, and the cache never gives those of something else."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from catdsl.diagnostics import CatError
from catdsl.evaluate.extractors import Extractor, with_squeezenet
from catdsl.evaluate.feature_cache import cache_file, load_features, save_features
from catdsl.evaluate.features import extract_features
from catdsl.evaluate.image_lists import list_images
from catdsl.evaluate.squeezenet import load_squeezenet
from tests.evaluate.judges import write_images


def features_of(paths, extractor, cache=None, **options):
    (found,) = extract_features([paths], extractor, cache=cache, **options)
    return found


def levels(path):
    return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1).unsqueeze(0)


@pytest.fixture
def no_network(monkeypatch):
    """From here on no network may be built: features have to come from the cache."""

    def forbid():
        def build(*_, **__):
            raise AssertionError("computed again")

        monkeypatch.setattr(Extractor, "build", build)

    return forbid


class TestLists:
    def caught(self, *folders):
        with pytest.raises(CatError) as error:
            list_images(*folders)
        (found,) = error.value.diagnostics
        assert found.code == "E601"
        return found

    def test_folder_after_folder(self, tmp_path):
        b, a = write_images(tmp_path / "b", 2, seed=0), write_images(tmp_path / "a", 1, seed=0)
        assert list_images(tmp_path / "b", tmp_path / "a") == (*b, *a)

    def test_the_order_is_that_of_torch_fidelity(self, tmp_path):
        paths = write_images(tmp_path, 12, seed=0)
        assert list_images(tmp_path) == tuple(sorted(paths, key=str))  # 10.png before 2.png

    def test_no_folder(self, tmp_path):
        assert "does not exist" in self.caught(tmp_path / "none").message

    def test_an_empty_folder(self, tmp_path):
        (tmp_path / "notes.txt").touch()
        assert self.caught(tmp_path).message == f"no images in {tmp_path}"

    def test_one_image(self, tmp_path):
        (path,) = write_images(tmp_path, 1, seed=0)
        found = self.caught(tmp_path)
        assert found.message == f"there is only one image, {path}"
        assert "at least 2" in found.help


class TestExtraction:
    def test_images_of_several_sizes(self, tmp_path, squeezenet, squeezenet_file):
        sizes = ((24, 32), (20, 20), (24, 32), (32, 24), (20, 20))
        paths = [write_images(tmp_path / str(i), 1, seed=i, size=size)[0] for i, size in enumerate(sizes)]
        found = features_of(paths, squeezenet, batch=2)
        network = load_squeezenet(squeezenet_file)
        each = torch.cat([network(levels(path))[0] for path in paths])
        torch.testing.assert_close(found.vectors_ND, each, rtol=1e-4, atol=1e-4)
        assert found.paths == tuple(paths)
        assert found.logits_NK is None

    def test_several_sets_by_one_network(self, tmp_path, squeezenet, monkeypatch):
        built = []
        build = Extractor.build
        monkeypatch.setattr(Extractor, "build", lambda self, *, cuda: built.append(cuda) or build(self, cuda=cuda))
        sets = [write_images(tmp_path / name, 2, seed=i) for i, name in enumerate("abc")]
        assert [len(f) for f in extract_features(sets, squeezenet)] == [2, 2, 2]
        assert built == [False]

    def test_grey_and_palettes_are_read_as_colour(self, tmp_path, squeezenet):
        (path,) = write_images(tmp_path, 1, seed=0)
        grey = Image.open(path).convert("L")
        grey.save(tmp_path / "grey.png")
        grey.convert("RGB").save(tmp_path / "colour.png")
        grey.convert("P").save(tmp_path / "palette.png")
        found = features_of([tmp_path / f"{n}.png" for n in ("grey", "colour", "palette")], squeezenet).vectors_ND
        torch.testing.assert_close(found[1:], found[:1].expand(2, -1))


class TestBadFiles:
    def caught(self, paths, extractor, cache=None):
        with pytest.raises(CatError) as error:
            features_of(paths, extractor, cache)
        (found,) = error.value.diagnostics
        assert found.code == "E602"
        return found

    def test_all_damaged_files_are_listed(self, tmp_path, squeezenet, no_network):
        paths = write_images(tmp_path, 4, seed=0, size=(64, 64))
        paths[1].write_bytes(paths[1].read_bytes()[:200])
        paths[2].write_text("no image", encoding="utf-8")
        paths[3].unlink()
        no_network()
        found = self.caught(paths, squeezenet)
        assert found.message.startswith("3 image files cannot be used, among 4")
        assert all(note.startswith(f"{path} ") for note, path in zip(found.notes, paths[1:], strict=True))
        assert "cannot be read: it does not exist" in self.caught(paths, squeezenet, tmp_path / "cache").notes[0]

    def test_what_torch_fidelity_would_misread(self, tmp_path, squeezenet):
        Image.fromarray(np.full((8, 8), 40_000, np.uint16)).save(tmp_path / "deep.png")
        turned = Image.Exif()
        turned[0x0112] = 6
        Image.new("RGB", (8, 12)).save(tmp_path / "turned.jpg", exif=turned)
        notes = self.caught([tmp_path / "deep.png", tmp_path / "turned.jpg"], squeezenet).notes
        assert ["16-bit" in notes[0], "EXIF" in notes[1]] == [True, True]


class TestCache:
    def test_a_second_time_nothing_is_computed(self, tmp_path, squeezenet, no_network):
        paths = write_images(tmp_path / "a", 3, seed=0)
        first = features_of(paths, squeezenet, tmp_path / "cache")
        no_network()
        again = features_of(paths, squeezenet, tmp_path / "cache")
        assert torch.equal(first.vectors_ND, again.vectors_ND)

    def test_equal_images_under_other_names(self, tmp_path, squeezenet, no_network):
        paths = write_images(tmp_path / "a", 3, seed=0)
        first = features_of(paths, squeezenet, tmp_path / "cache")
        renamed = [path.rename(tmp_path / f"{name}.png") for path, name in zip(paths, "zyx", strict=True)]
        no_network()
        turned = features_of(renamed[::-1], squeezenet, tmp_path / "cache")
        assert torch.equal(first.vectors_ND.flip(0), turned.vectors_ND)
        assert turned.paths == tuple(renamed[::-1])

    def test_images_that_are_there_twice(self, tmp_path, squeezenet):
        paths = write_images(tmp_path / "a", 2, seed=0)
        twice = [paths[0], paths[1], paths[0]]
        for _ in range(2):
            found = features_of(twice, squeezenet, tmp_path / "cache").vectors_ND
            assert torch.equal(found[0], found[2])
            assert not torch.equal(found[0], found[1])

    def test_the_name_holds_what_features_depend_on(self, tmp_path, squeezenet, inception):
        contents = ("a", "b", "c")
        name = cache_file(tmp_path, squeezenet, contents, "cpu")
        assert name == cache_file(tmp_path, squeezenet, ("c", "a", "b"), "cpu")
        assert name.name.startswith("squeezenet-")
        others = {
            cache_file(tmp_path, squeezenet, ("a", "b"), "cpu"),
            cache_file(tmp_path, squeezenet, ("a", "b", "b"), "cpu"),
            cache_file(tmp_path, squeezenet, contents, "cuda"),
            cache_file(tmp_path, replace(squeezenet, digest="another"), contents, "cpu"),
            cache_file(tmp_path, inception, contents, "cpu"),
        }
        assert len(others | {name}) == 6

    def test_other_weights_are_another_entry(self, tmp_path, squeezenet, squeezenet_file):
        paths = write_images(tmp_path / "a", 2, seed=0)
        tensors = torch.load(squeezenet_file, weights_only=True)
        tensors["features.0.bias"] += 1
        torch.save(tensors, tmp_path / "other.pth")
        other = with_squeezenet(tmp_path / "other.pth")
        found = [features_of(paths, extractor, tmp_path / "cache").vectors_ND for extractor in (squeezenet, other)]
        assert not torch.allclose(*found)

    @pytest.mark.parametrize("harm", ["cut", "flipped", "emptied", "foreign"])
    def test_a_damaged_file_is_replaced(self, tmp_path, squeezenet, harm):
        paths = write_images(tmp_path / "a", 2, seed=0)
        first = features_of(paths, squeezenet, tmp_path / "cache").vectors_ND
        (file,) = (tmp_path / "cache").iterdir()
        whole = file.read_bytes()
        file.write_bytes(
            {
                "cut": whole[:-50],
                "flipped": whole[:-50] + bytes([whole[-50] ^ 64]) + whole[-49:],
                "emptied": b"",
                "foreign": b"{}",
            }[harm]
        )
        assert torch.equal(features_of(paths, squeezenet, tmp_path / "cache").vectors_ND, first)
        assert file.read_bytes() == whole

    def test_a_file_of_other_layers_or_lengths_is_not_taken(self, tmp_path):
        save_features(tmp_path / "f", {"512": torch.rand(2, 3)}, ("b", "a"))
        assert load_features(tmp_path / "f", ("512",), ("a", "b")) is not None
        assert load_features(tmp_path / "f", ("512", "logits"), ("a", "b")) is None
        assert load_features(tmp_path / "f", ("512",), ("a", "b", "c")) is None
        assert load_features(tmp_path / "none", ("512",), ("a", "b")) is None

    def test_a_cache_that_cannot_be_written(self, tmp_path, squeezenet):
        paths = write_images(tmp_path / "a", 2, seed=0)
        (tmp_path / "file").touch()
        with pytest.raises(CatError) as error:
            features_of(paths, squeezenet, tmp_path / "file")
        assert error.value.diagnostics[0].code == "E608"
