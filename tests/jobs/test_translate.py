"""`translate` finishes every picture that can be translated, loses nothing, and says which could not be and why."""

import os
import socket
import subprocess
import sys

import pytest
import torch
from PIL import Image

from catdsl.analysis.input_size import with_input_size
from catdsl.analysis.memory import peak_memory
from catdsl.analysis.stride import stride
from catdsl.diagnostics import CatError
from catdsl.jobs import translate as job
from catdsl.jobs.picture_sizes import picture_sizes
from catdsl.project import load


@pytest.fixture
def weights(cli):
    cli("build", "tiny.cat", "-o", "built")
    return "built/weights.safetensors"


@pytest.fixture
def translate(cli, weights):
    def call(*words, code=0):
        return cli("translate", "tiny.cat", "--weights", weights, *words, code=code)

    return call


def picture(path, size=(16, 16), colour=(9, 9, 9)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)
    return path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_equal_names_are_kept_apart(cli, translate):
    for index, name in enumerate(("a/x.png", "b/x.png", "b_x.png", "A/X.png")):
        picture(cli.folder / name, colour=(40 * index, 0, 0))
    translate("a", "b", "A", "b_x.png", "a/x.png", "./a/x.png", "-o", "made")
    assert names(cli.folder / "made") == ["A_X-2.png", "a_x.png", "b_x-2.png", "b_x.png"]
    assert len({(cli.folder / "made" / name).read_bytes() for name in names(cli.folder / "made")}) == 4


def test_a_long_name_fits(cli, translate):
    picture(cli.folder / "in" / ("x" * 247 + ".png"))
    picture(cli.folder / "in" / ("x" * 248 + ".png"))
    translate("in", "-o", "made")
    assert len(names(cli.folder / "made")) == 2


def test_the_same_command_works_again_and_other_files_stay(cli, translate):
    picture(cli.folder / "a" / "x.png")
    picture(cli.folder / "b" / "x.png", colour=(200, 0, 0))
    translate("a", "-o", "made")
    first = (cli.folder / "made" / "x.png").read_bytes()
    translate("a", "-o", "made")
    assert (cli.folder / "made" / "x.png").read_bytes() == first
    # The picture of another image, though by the same command, would be lost.
    assert "E608" in translate("b", "-o", "made", code=1).stderr
    assert (cli.folder / "made" / "x.png").read_bytes() == first
    picture(cli.folder / "made" / "y.png")
    mine = (cli.folder / "made" / "y.png").read_bytes()
    picture(cli.folder / "c" / "y.png")
    picture(cli.folder / "c" / "z.png")
    told = translate("c", "-o", "made", code=1).stderr
    assert "made/y.png exists already" in told
    assert "--overwrite" in told
    assert (cli.folder / "made" / "y.png").read_bytes() == mine
    assert not (cli.folder / "made" / "z.png").exists()
    translate("c", "-o", "made", "--overwrite")
    assert (cli.folder / "made" / "y.png").read_bytes() != mine
    # What is read is not replaced by being told to replace what is there.
    assert "one of the images that are read" in translate("c", "-o", "c", "--overwrite", code=1).stderr


def test_one_picture_does_not_keep_others_from_being_translated(cli, translate, monkeypatch):
    folder = cli.folder / "in"
    for name, size in (("a", (16, 16)), ("b", (400, 300)), ("c", (1, 1)), ("e", (20, 18))):
        picture(folder / f"{name}.png", size)
    (folder / "d.png").write_bytes(b"no picture")
    monkeypatch.setenv("CATDSL_LIMITS", "memory=1000000")
    told = translate("in", "-o", "made", code=1).stderr
    assert names(cli.folder / "made") == ["a.png", "e.png"]
    graph = load(cli.folder / "tiny.cat").graph
    memory = peak_memory(with_input_size(graph, 300, 400)).bytes
    assert "3 of 5 images cannot be translated" in told
    assert f"b.png is 300 x 400, for which activations take {memory:,} bytes, more than the limit of 1,000,000" in told
    assert f"--limit memory={memory}" in told
    assert "c.png is 1 x 1, too small for this network: it takes 3 x 3 or more" in told
    assert "d.png" in told
    monkeypatch.setenv("CATDSL_LIMITS", f"memory={memory}")
    assert "2 of 5" in translate("in", "-o", "made", code=1).stderr


@pytest.mark.parametrize(
    "raised",
    [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("DefaultCPUAllocator: can't allocate memory"),
     MemoryError()],
)  # fmt: skip
def test_memory_that_runs_out_for_one_picture_ends_only_that(cli, translate, monkeypatch, raised):
    for name, size in (("a", (16, 16)), ("b", (24, 24)), ("c", (16, 16))):
        picture(cli.folder / "in" / f"{name}.png", size)
    real = job.evaluating
    seen = []

    def fails(module):
        seen.append(module)
        if len(seen) == 2:
            raise raised
        return real(module)

    monkeypatch.setattr(job, "evaluating", fails)
    told = translate("in", "-o", "made", code=1).stderr
    assert names(cli.folder / "made") == ["a.png", "c.png"]
    assert "b.png is too large for the memory of cpu" in told


def test_any_other_error_is_ours(cli, translate, monkeypatch):
    picture(cli.folder / "a.png")

    def fails(_):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(job, "evaluating", fails)
    assert "fault of catdsl" in translate("a.png", "-o", "made", code=70).stderr


@pytest.mark.skipif(os.name != "posix", reason="files of POSIX")
def test_what_is_no_file_is_refused_at_once(cli, translate, monkeypatch):
    monkeypatch.chdir(cli.folder)
    os.mkfifo("pipe.png")
    picture(cli.folder / "a.png")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.png")
        for name, what in (("pipe.png", "a pipe"), ("socket.png", "a socket"), ("/dev/zero", "a device")):
            told = translate("a.png", name, "-o", "made", code=1).stderr
            assert "E602" in told
            assert f"{name} is {what}, which is not read" in told
            assert not (cli.folder / "made").exists()


def test_a_picture_that_is_too_small_is_told_in_the_same_words_everywhere(cli, translate, weights):
    picture(cli.folder / "small" / "a.png", (2, 9))
    words = "is 9 x 2, too small for this network: it takes 3 x 3 or more"
    assert f"small/a.png {words}" in translate("small", "-o", "made", code=1).stderr
    cli("export", "tiny.cat", "--weights", weights, "-o", "x.py")
    done = subprocess.run(
        [sys.executable, "-I", "x.py", "small/a.png", "b.png"], cwd=cli.folder, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (1, f"small/a.png {words}")
    told = cli("bench", "tiny.cat", "--size", "9x2", "--forms", "eager", code=1).stderr
    assert "an image is 9 x 2, too small for this network: it takes 3 x 3 or more" in told
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    told = cli("export", "tiny.cat", "--weights", weights, "--int8", "--calibration", "small", "-o", "x.onnx", code=1)
    assert f"it {words}" in told.stderr
    assert not (cli.folder / "x.onnx").exists()


def test_the_smallest_picture_is_taken_and_a_smaller_one_is_not():
    graph = load(
        "generator g {\ninput x: image(3, 32, 32)\n"
        "output x -> conv(4, 3, stride = 2) -> conv(4, 7, pad = reflect) -> deconv(3, 4)\n}"
    ).graph
    sizes = picture_sizes(graph, stride(graph))
    assert sizes.refusal(7, 7) is None
    assert stride(graph) == 2
    assert sizes.refusal(6, 7) == "is 6 x 7, too small for this network: it takes 7 x 7 or more"
    with pytest.raises(CatError, match=r"an image is 6 x 6, too small for this network: it takes 7 x 7 or more"):
        with_input_size(graph, 6, 6)
