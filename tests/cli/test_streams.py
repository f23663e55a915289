"""Outputs that are closed, full or left by their reader, and names that no terminal can show."""

import os

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full"),
]


def quiet(done):
    """Nothing of Python's own was said."""
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    return done


@pytest.mark.parametrize("reader", ["head -1", "true"])
@pytest.mark.parametrize("command", ["explain conv", "info tiny.cat", "--help"])
def test_a_reader_that_leaves(shell, spec, command, reader):
    """`explain conv` is more than the buffer of one write; the others are written out at the end."""
    done = quiet(shell(f"catdsl {command} | {reader}"))
    assert done.returncode == 0
    assert done.stderr == ""


def test_a_reader_that_leaves_a_long_output(shell, spec):
    lines = "\n".join(f"    a{i} = photo -> conv(8, 3)" for i in range(3000))
    spec.write_text(f"generator g {{\n    input photo: image(3, 16, 16)\n{lines}\n    output photo\n}}\n")
    done = quiet(shell("catdsl fmt --diff tiny.cat | head -1; catdsl check tiny.cat 2>&1 | head -1"))
    assert done.returncode == 0


@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_a_reader_that_leaves_neither_stops_the_work_nor_hides_a_failure(shell, spec, reader):
    for command, code in (("check gone.cat", 1), ("check gone.cat --format json", 1), ("nonsense", 2)):
        assert quiet(shell(f"catdsl {command} 2>&1 | {reader}")).returncode == code
    spec.write_text(spec.read_text() + "train { batch = 2, ndf = 4, discriminator_layers = 1 }\n")
    assert quiet(shell(f"catdsl train tiny.cat --steps 2 -o run 2>&1 | {reader}")).returncode == 0
    assert (spec.parent / "run" / "teacher" / "weights.safetensors").exists()


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "<&-"])
def test_streams_that_are_closed(shell, spec, closed):
    for command, code in (("check tiny.cat", 0), ("info tiny.cat", 0), ("check gone.cat", 1), ("nonsense", 2)):
        assert quiet(shell(f"catdsl {command} {closed}")).returncode == code


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_files_do_not_take_the_place_of_closed_streams(shell, spec, closed):
    assert quiet(shell(f"catdsl build tiny.cat -o made {closed}")).returncode == 0
    shell("catdsl build tiny.cat -o whole")
    for name in ("graph.json", "summary.txt", "module.py"):
        made, whole = ((spec.parent / folder / name).read_text() for folder in ("made", "whole"))
        assert made == whole


@pytest.mark.parametrize("command", ["explain conv", "--version", "info tiny.cat --format json"])
def test_a_full_disk(shell, spec, command):
    done = quiet(shell(f"catdsl {command} >/dev/full"))
    assert done.returncode == 1
    assert "E608" in done.stderr
    assert "no space is left" in done.stderr


def test_errors_that_cannot_be_told(shell, spec):
    for command, code in (("check gone.cat", 1), ("info gone.cat --format json", 1), ("check tiny.cat", 0)):
        assert quiet(shell(f"catdsl {command} 2>/dev/full")).returncode == code


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
)
@pytest.mark.parametrize("name", ["gr\u00fcn.cat", "$'\\xff.cat'"])
def test_names_that_the_encoding_lacks(shell, spec, environment, name):
    for command, code in ((f"check {name}", 1), (f"cp tiny.cat {name}; catdsl info {name}", None)):
        done = quiet(shell(f"catdsl {command}" if not command.startswith("cp") else command, **environment))
        assert done.returncode in ((code,) if code is not None else (0, 1))
        assert "fault of catdsl" not in done.stderr
