"""What the tests of training share: one thread, and a tiny set of scenes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from catdsl.semantics.settings import DataSettings
from catdsl.train.data.opening import ImageData
from catdsl.train.data.scenes import write_scenes
from tests.train.opened import opened


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """10 training and 3 validation scenes of 32 x 32."""
    folder = tmp_path_factory.mktemp("data") / "scenes"
    return write_scenes(folder, count=10, size=(32, 32), seed=1, validation=3)


@pytest.fixture(scope="session")
def paired(scenes: Path) -> ImageData:
    return opened(scenes, DataSettings(load=36, crop=32), size=(32, 32))
