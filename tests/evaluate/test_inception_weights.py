"""The weights of Inception: given, found, fetched, or asked for in words that help."""

import os
from http.client import IncompleteRead
from io import BytesIO
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest
import torch

from catdsl.diagnostics import CatError
from catdsl.evaluate import inception_weights
from catdsl.evaluate.inception_weights import find_inception_weights

FILE = "weights-inception-2015-12-05-6726825d.pth"


class Network:
    """What answers instead of the network, and how often it was asked."""

    def __init__(self, answer: bytes | Exception):
        self.answer = answer
        self.asked: list[str] = []

    def __call__(self, url: str, *, timeout: float) -> BytesIO:
        assert timeout > 0
        self.asked.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return BytesIO(self.answer)


class BreaksOff(BytesIO):
    def read(self, *_):
        raise IncompleteRead(b"", 95_000_000)


@pytest.fixture
def checkpoints(tmp_path, monkeypatch) -> Path:
    """torch hub's folder of checkpoints, which is not there yet."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    return tmp_path / "home" / "hub" / "checkpoints"


@pytest.fixture
def network(monkeypatch):
    def put(answer):
        network = Network(answer)
        monkeypatch.setattr(inception_weights, "urlopen", network)
        return network

    return put


def caught(given=None):
    with pytest.raises(CatError) as error:
        find_inception_weights(given)
    (found,) = error.value.diagnostics
    assert found.code == "E605"
    return found


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.pth")
    assert "is a pipe, which is not read" in caught(tmp_path / "pipe.pth").message


def test_a_download_has_a_bound(checkpoints, network, monkeypatch):
    monkeypatch.setattr(inception_weights, "_LARGEST", 1000)
    network(bytes(1001))
    assert "sends more than 1,000 bytes" in caught().message
    assert not checkpoints.exists()


def test_a_file_that_fits(inception_file, network):
    nothing = network(URLError("no network"))
    assert find_inception_weights(inception_file) == inception_file
    assert not nothing.asked


@pytest.mark.parametrize(
    "error",
    [
        URLError("Name or service not known"),
        HTTPError("http://x", 503, "Service Unavailable", {}, None),
        TimeoutError("timed out"),
        ConnectionResetError("Connection reset by peer"),
    ],
)
def test_without_a_network(checkpoints, network, error):
    network(error)
    found = caught()
    assert str(checkpoints / FILE) in found.message
    assert str(error) in found.message
    assert f"toshas/torch-fidelity/releases/download/v0.2.0/{FILE}" in found.notes[0]
    assert str(checkpoints / FILE) in found.help
    assert "--inception-weights FILE" in found.help
    assert not checkpoints.exists()


def test_a_download_that_breaks_off(checkpoints, monkeypatch):
    monkeypatch.setattr(inception_weights, "urlopen", lambda url, timeout: BreaksOff())
    assert "IncompleteRead" in caught().message
    assert not checkpoints.exists()


def test_what_torch_fidelity_has_fetched_is_taken(checkpoints, network, inception_file):
    nothing = network(URLError("no network"))
    checkpoints.mkdir(parents=True)
    (checkpoints / FILE).symlink_to(inception_file)
    assert find_inception_weights() == checkpoints / FILE
    assert not nothing.asked


def test_it_is_fetched_once_and_put_where_torch_fidelity_looks(checkpoints, network, inception_file):
    answering = network(inception_file.read_bytes())
    assert find_inception_weights() == find_inception_weights() == checkpoints / FILE
    assert len(answering.asked) == 1
    assert (checkpoints / FILE).read_bytes() == inception_file.read_bytes()


def test_a_page_instead_of_weights_is_not_kept(checkpoints, network):
    network(b"<html>please log in</html>")
    assert "has sent does not hold the weights" in caught().message
    assert not checkpoints.exists()


def test_wrong_files(tmp_path, squeezenet_file, inception_file):
    found = caught(squeezenet_file)
    assert found.message == f"{squeezenet_file} does not hold the weights of torch-fidelity's Inception"
    assert found.notes[0].startswith('Missing key(s) in state_dict: "Conv2d_1a_3x3.conv.weight"')
    assert FILE in found.help
    assert "it does not exist" in caught(tmp_path / "none.pth").message
    tensors = torch.load(inception_file, weights_only=True)
    tensors["fc.bias"] = torch.zeros(1000)  # torchvision's own Inception has as many classes
    torch.save(tensors, tmp_path / "thousand.pth")
    assert "size mismatch for fc.bias" in caught(tmp_path / "thousand.pth").notes[0]
