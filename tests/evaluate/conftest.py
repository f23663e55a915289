"""What the tests of measures share: files of random weights, one thread."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from catdsl.evaluate.extractors import Extractor, with_inception, with_squeezenet
from tests.evaluate.judges import random_inception, random_squeezenet


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def squeezenet_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_squeezenet(tmp_path_factory.mktemp("weights") / "squeezenet.pth")


@pytest.fixture(scope="session")
def inception_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_inception(tmp_path_factory.mktemp("weights") / "inception.pth")


@pytest.fixture(scope="session")
def squeezenet(squeezenet_file: Path) -> Extractor:
    return with_squeezenet(squeezenet_file)


@pytest.fixture(scope="session")
def inception(inception_file: Path) -> Extractor:
    return with_inception(inception_file)


@pytest.fixture(scope="session")
def published_squeezenet(root: Path) -> Path:
    """The published weights, where they lie beside the checkout."""
    path = root.parent / "shared" / "weights" / "squeezenet1_0.pth"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    return path
