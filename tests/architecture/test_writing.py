"""Everything that is written goes through `catdsl.files`."""

import pytest

from tests.architecture.source import module, package_modules
from tests.architecture.writing import ALLOWED, unused, writing


def test_nothing_writes_by_itself() -> None:
    assert [line for m in package_modules() for line in writing(m)] == []


def test_every_exception_is_needed_and_has_a_reason() -> None:
    assert unused(package_modules()) == []
    assert all(reason for _, _, reason in ALLOWED)


@pytest.mark.parametrize(
    "text",
    [
        "open(path, 'w')",
        "open(path, mode='ab')",
        "open(path, 'r+b')",
        "open(path, mode)",
        "path.open('w')",
        "path.open(mode='x')",
        "with (folder / 'a').open('a', encoding='utf-8') as s: s.write('x')",
        "import os\nos.open(path, os.O_WRONLY | os.O_CREAT)",
        "import os\nos.fdopen(handle, 'wb')",
        "import os\nos.replace(a, b)",
        "import os\nos.rename(a, b)",
        "a.rename(b)",
        "a.replace(b)",
        "a.touch()",
        "path.write_text('x')",
        "path.write_bytes(b'x')",
        "import shutil\nshutil.move(a, b)",
        "import shutil\nshutil.copy2(a, b)",
        "from shutil import copytree\ncopytree(a, b)",
        "import tempfile\ntempfile.mkdtemp()",
        "from tempfile import NamedTemporaryFile\nNamedTemporaryFile()",
        "import torch\ntorch.save(state, path)",
        "image.save(path)",
        "figure.savefig(path)",
        "import numpy as np\nnp.savez(path, a=a)",
        "from safetensors.torch import save_file\nsave_file(tensors, path)",
        "archive.extractall(folder)",
        "import zipfile\nzipfile.ZipFile(path, 'w')",
        "import tarfile\ntarfile.open(path, 'w:xz')",
    ],
)
def test_a_planted_write_is_caught(text: str) -> None:
    assert len(writing(module("catdsl/jobs/planted.py", text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "open(path)",
        "open(path, 'rb')",
        "path.open('rb')",
        "import os\nos.open(path, os.O_RDONLY)",
        "text.replace('a', 'b')",
        "from dataclasses import replace\nreplace(value, name='x')",
        "import torch\ntorch.save(state, stream)",
        "from safetensors.torch import save\nwrite_bytes(path, save(tensors))",
        "from catdsl.files import write_text\nwrite_text(path, 'x')",
        "values.copy()",
        "import tarfile\ntarfile.open(path, 'r:xz')",
        "Image.open(path)",
    ],
)
def test_what_writes_nothing_passes(text: str) -> None:
    assert writing(module("catdsl/jobs/sound.py", text)) == []


def test_the_one_way_itself_may_write() -> None:
    assert writing(module("catdsl/files.py", "open(path, 'w')")) == []
