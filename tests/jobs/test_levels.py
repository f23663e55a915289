"""`levels` of a spec in the commands that read pictures: what they refuse without, and that they agree with."""

import numpy as np
import pytest
from PIL import Image

from tests.jobs.conftest import TINY

BLOCK = "data    { load = 18, crop = 16 }"


def pictures(folder, names, highest, lowest=0):
    folder.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(names):
        levels = np.linspace(lowest, highest, 16 * 16).reshape(16, 16).astype(np.uint16)
        Image.fromarray(np.roll(levels, 5 * i)).save(folder / f"{name}.png")


@pytest.fixture
def spec(cli):
    """A spec whose inputs have 12 bits in files of 16, and its data."""
    pictures(cli.folder / "d" / "A", "abcdefg", 4095)
    pictures(cli.folder / "d" / "B", "abcdefg", 65_535)
    (cli.folder / "plain.cat").write_text(TINY)
    text = TINY.replace(BLOCK, "data { load = 18, crop = 16, levels = [0, 4095], target_levels = [0, 65535] }")
    (cli.folder / "levels.cat").write_text(text)
    return cli.folder / "levels.cat"


def test_train_and_translate(cli, spec):
    told = cli("train", "plain.cat", "--data", "d", "-o", "run", "--steps", 1, code=1)
    assert "E602" in told.stderr
    assert "set levels = [0, 4095] in data { }" in told.stderr
    assert "levels = [0, 4095], target_levels = [0, 65535]" in cli("data", "check", "d").stdout
    cli("train", spec, "--data", "d", "-o", "run", "--steps", 1)

    # A file of 8 bits and one of 12 that show the same are translated alike, but for the rounding to 8 bits.
    pictures(cli.folder / "deep", "x", 4095)
    levels = np.asarray(Image.open(cli.folder / "deep" / "x.png")).astype(float)
    (cli.folder / "flat").mkdir()
    Image.fromarray(np.rint(levels * 255 / 4095).astype(np.uint8)).save(cli.folder / "flat" / "x.png")
    for name in ("deep", "flat"):
        cli("translate", "run", name, "-o", f"made_{name}", "--use-teacher")
    made = [np.asarray(Image.open(cli.folder / f"made_{name}" / "x.png")) for name in ("deep", "flat")]
    assert np.array_equal(*made)

    pictures(cli.folder / "beyond", "y", 5000)
    told = cli("translate", "run", "beyond", "-o", "made_beyond", "--use-teacher", code=1)
    assert "y.png has levels from 0 to 5000, beyond levels = [0, 4095]" in told.stderr


def test_translate_says_that_files_are_too_dark(cli, spec):
    pictures(cli.folder / "bright" / "A", "abcdefg", 65_535)
    pictures(cli.folder / "bright" / "B", "abcdefg", 65_535)
    cli("train", "plain.cat", "--data", "bright", "-o", "run", "--steps", 1)
    told = cli("translate", "run", cli.folder / "d" / "A", "-o", "made", "--use-teacher", code=1)
    assert "7 image files" in told.stderr
    assert "would be almost black: white is 65535" in told.stderr
    assert not (cli.folder / "made").exists()
