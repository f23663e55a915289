"""SqueezeNet is wired as its weights were trained, and takes only weights that are its own."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from catdsl.diagnostics import CatError
from catdsl.evaluate.squeezenet import ZEBRA, load_squeezenet
from catdsl.evaluate.squeezenet_extractor import register_squeezenet
from catdsl.evaluate.torchvision_operators import import_torchvision
from catdsl.train.data.layouts import image_files


class Touches:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def caught(path):
    with pytest.raises(CatError) as error:
        load_squeezenet(path)
    (found,) = error.value.diagnostics
    assert found.code == "E605"
    assert str(path) in found.message
    assert "torchvision's key names" in found.help
    return found


def test_colours_are_turned_and_centred(squeezenet_file):
    """A plain image of the mean is all zeros for the network, so only biases act."""
    network = load_squeezenet(squeezenet_file)
    plain = torch.tensor([123, 117, 104], dtype=torch.uint8).view(1, 3, 1, 1)
    features, logits = network(plain.expand(1, 3, 50, 70))
    assert features.abs().max() < 1e-4  # what resizing rounds
    assert logits.abs().max() < 1e-3
    assert network(plain.flip(1).expand(1, 3, 50, 70))[0].abs().max() > 0.01


def test_images_of_its_own_size_are_not_resized(squeezenet_file):
    network = load_squeezenet(squeezenet_file)
    image = torch.randint(0, 256, (2, 3, 227, 227), dtype=torch.uint8)
    bgr = image.float()[:, [2, 1, 0]] - torch.tensor([104.0, 117.0, 123.0]).view(1, 3, 1, 1)
    maps = network.features(bgr)
    assert maps.shape == (2, 512, 13, 13)
    features, logits = network(image)
    torch.testing.assert_close(features, maps.mean((2, 3)) / 16)
    torch.testing.assert_close(logits, network.classifier(maps).mean((2, 3)))


def test_other_numbers_than_levels_are_refused(squeezenet_file):
    with pytest.raises(AssertionError, match="0 to 255"):
        load_squeezenet(squeezenet_file)(torch.rand(1, 3, 64, 64))


def test_the_keys_are_those_of_torchvision(squeezenet_file):
    torchvision = import_torchvision()
    theirs = torchvision.models.squeezenet1_0(weights=None)
    ours = load_squeezenet(squeezenet_file)
    theirs.load_state_dict(ours.state_dict())
    image = torch.randint(0, 256, (1, 3, 227, 227), dtype=torch.uint8)
    bgr = image.float().flip(1) - torch.tensor([104.0, 117.0, 123.0]).view(1, 3, 1, 1)
    torch.testing.assert_close(ours(image)[1], theirs.eval()(bgr))


class TestWrongWeights:
    def test_no_file(self, tmp_path):
        assert "it does not exist" in caught(tmp_path / "none.pth").message

    def test_a_folder(self, tmp_path):
        assert "is a folder, not a file" in caught(tmp_path).message

    def test_another_kind_of_file(self, tmp_path):
        path = tmp_path / "page.pth"
        path.write_text("<html>404</html>", encoding="utf-8")
        assert "does not hold the weights of a SqueezeNet 1.0" in caught(path).message

    def test_a_file_that_was_cut(self, tmp_path, squeezenet_file):
        path = tmp_path / "cut.pth"
        path.write_bytes(squeezenet_file.read_bytes()[:100_000])
        assert caught(path).notes

    def test_code_is_not_run(self, tmp_path):
        path, touched = tmp_path / "code.pth", tmp_path / "touched"
        torch.save({"features.0.weight": Touches(touched)}, path)
        assert "Weights only load failed" in caught(path).notes[0]
        path.write_bytes(pickle.dumps(Touches(touched)))
        assert caught(path).notes
        assert not touched.exists()

    @pytest.mark.parametrize("held", [[torch.zeros(3)], {"state_dict": {"features.0.weight": torch.zeros(3)}}, 7])
    def test_no_state_dict(self, tmp_path, held):
        torch.save(held, tmp_path / "held.pth")
        assert "it is no state_dict" in caught(tmp_path / "held.pth").notes[0]

    def test_another_network(self, tmp_path):
        torch.save(torch.nn.Conv2d(3, 8, 3).state_dict(), tmp_path / "conv.pth")
        missing, unknown = caught(tmp_path / "conv.pth").notes
        assert missing.startswith('Missing key(s) in state_dict: "features.0.weight"')
        assert unknown.startswith('Unexpected key(s) in state_dict: "weight", "bias"')
        assert len(missing) < 250

    def test_other_shapes(self, tmp_path, squeezenet_file):
        tensors = torch.load(squeezenet_file, weights_only=True)
        tensors["classifier.1.bias"] = torch.zeros(10)
        torch.save(tensors, tmp_path / "ten.pth")
        assert "size mismatch for classifier.1.bias" in caught(tmp_path / "ten.pth").notes[0]

    def test_values_that_are_not_finite(self, tmp_path, squeezenet_file):
        tensors = torch.load(squeezenet_file, weights_only=True)
        tensors["features.3.squeeze.bias"][2] = float("nan")
        torch.save(tensors, tmp_path / "nan.pth")
        assert "the first is features.3.squeeze.bias" in caught(tmp_path / "nan.pth").notes[0]


def test_half_precision_is_widened(tmp_path, squeezenet_file):
    tensors = {n: t.half() for n, t in torch.load(squeezenet_file, weights_only=True).items()}
    torch.save(tensors, tmp_path / "half.pth")
    assert all(p.dtype == torch.float32 for p in load_squeezenet(tmp_path / "half.pth").parameters())


def test_it_is_registered_once(squeezenet_file):
    register_squeezenet()
    register_squeezenet()
    from torch_fidelity.utils import create_feature_extractor

    def made(*layers):
        return create_feature_extractor(
            "squeezenet", list(layers), cuda=False, verbose=False, feature_extractor_weights_path=str(squeezenet_file)
        )

    image = torch.randint(0, 256, (2, 3, 40, 30), dtype=torch.uint8)
    logits, features = made("logits", "512")(image)
    assert (features.shape, logits.shape) == ((2, 512), (2, 1000))
    assert torch.equal(features, load_squeezenet(squeezenet_file)(image)[0])
    assert [made("512").get_default_feature_layer_for_metric(m) for m in ("fid", "kid", "prc")] == ["512"] * 3
    with pytest.raises(ValueError, match="feature_extractor_weights_path"):
        create_feature_extractor("squeezenet", ["512"], cuda=False, verbose=False)
    with pytest.raises(KeyError):  # an inception score is one of Inception
        made("512").get_default_feature_layer_for_metric("isc")


@pytest.mark.slow
def test_zebras_are_seen(root, published_squeezenet):
    folder = root.parent / "shared" / "data" / "horse2zebra" / "trainB"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    network = load_squeezenet(published_squeezenet)
    images = [np.array(Image.open(path).convert("RGB")) for path in image_files(folder)[:100]]
    batches = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).split(20)
    classes = torch.cat([network(batch)[1].argmax(1) for batch in batches])
    assert len(classes) == 100
    assert (classes == ZEBRA).sum() > 85
