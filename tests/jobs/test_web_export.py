"""`catdsl export --web` as users call it: the folder, and what is refused with nothing left behind."""

import json
import os

import pytest
from PIL import Image

from catdsl.acceptance import Acceptance
from catdsl.backend.weights import save_weights
from catdsl.diagnostics import CatError
from catdsl.export.web_runtime import FILES
from catdsl.jobs.web_export import examples_of
from catdsl.limits import VARIABLE
from catdsl.project import load
from tests.export.networks import network
from tests.jobs.conftest import TINY

_SPEC = """
generator little {
    input photo: image(3, 16, 16)
    y = photo -> conv(4, 3, stride = 2) -> instance_norm -> relu -> deconv(4, 4)
    output concat(photo, y) -> conv(3, 3) -> tanh
}
"""
_LABELS = "generator g { input map: labels(4, 16, 16)\noutput map -> conv(3, 3) -> tanh }"
_TWO = "generator g { input x: image(3, 16, 16)\ninput y: image(3, 16, 16)\noutput concat(x, y) -> conv(3, 3) -> tanh }"
_FOUR = "generator g { input x: image(4, 16, 16)\noutput x -> conv(3, 3) -> tanh }"
_FIVE = "generator g { input x: image(3, 16, 16)\noutput x -> conv(5, 3) -> tanh }"


def given(cli, text):
    """A spec with weights, and files that bear the names of the runtime's."""
    (cli.folder / "little.cat").write_text(text)
    save_weights(network(load(cli.folder / "little.cat")).module, cli.folder / "w.safetensors", {})
    (cli.folder / "dist").mkdir()
    for name in FILES:
        (cli.folder / "dist" / name).write_bytes(name.encode())
    return ("little.cat", "--weights", "w.safetensors", "--web")


@pytest.fixture
def little(cli):
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    return given(cli, _SPEC)


def left(cli):
    return sorted(p.relative_to(cli.folder).as_posix() for p in cli.folder.rglob("*"))


@pytest.mark.slow
def test_the_folder_is_whole_and_replaced_whole(cli, little):
    done = cli("export", *little, "--runtime", "dist", "-o", "out/page")
    assert done.stdout.split() == ["out/page"]
    assert "python -m http.server --bind 127.0.0.1 -d out/page" in done.stderr
    page = cli.folder / "out" / "page"
    names = sorted(p.name for p in page.iterdir())
    assert names == sorted([
        "index.html", "page.css", "page.js", "worker.js", "model.onnx", "facts.json", *FILES,
    ])  # fmt: skip
    assert [p.name for p in page.parent.iterdir()] == ["page"]
    facts = json.loads((page / "facts.json").read_text())
    assert facts["bytes"] == (page / "model.onnx").stat().st_size
    assert facts["macs"] == {"exact": load(cli.folder / "little.cat").cost.exact, "teacher": None}
    assert facts["height"] == {"step": 2, "least": 4}
    assert (page / FILES[2]).read_bytes() == FILES[2].encode()

    values = json.loads(
        cli("export", *little, "--runtime", "dist", "-o", "out/page", "--half", "--format", "json").stdout
    )
    assert sorted(values["files"]) == [f"out/page/{name}" for name in names]
    assert json.loads((page / "facts.json").read_text())["precision"] == "float16"
    assert [p.name for p in page.parent.iterdir()] == ["page"]

    (page / "mine.txt").write_text("mine")
    before = left(cli)
    told = cli("export", *little, "--runtime", "dist", "-o", "out/page", code=1).stderr
    assert "error[E608]: out/page holds other files (mine.txt)" in told
    assert left(cli) == before


@pytest.mark.slow
def test_a_page_has_no_convs_for_kernels_that_browsers_lack(cli):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    spec, *words, web = given(cli, "generator g { input x: image(3, 8, 8)\noutput x -> conv(12, 1) -> conv(3, 3) }")

    def convs(model: str) -> list[str]:
        made = [node.op_type for node in onnx.load(str(cli.folder / model)).graph.node]
        return [name for name in made if "Conv" in name]

    cli("export", spec, *words, web, "--runtime", "dist", "-o", "page")
    cli("export", spec, *words, "-o", "native.onnx")
    assert convs("page/model.onnx") == ["Conv", "Conv"]
    assert convs("native.onnx") == ["Conv", "ConvTranspose"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (_LABELS, "error[E607]: --web takes generators of images, and `map` is a label map"),
        (_TWO, "error[E607]: --web takes generators with one input, and this one has 2: x, y"),
        (_FOUR, "error[E607]: a page takes images, and `x` would have 4 channels"),
        (_FIVE, "error[E607]: a page gives images, and these would have 5 channels"),
    ],
)
def test_generators_that_pages_cannot_feed(cli, text, told):
    words = given(cli, text)
    before = left(cli)
    assert told in cli("export", *words, "--runtime", "dist", "-o", "page", code=1).stderr
    assert left(cli) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-o", "page"), "error[E607]: onnxruntime-web is not in ./node_modules"),
        (("-o", "page", "--runtime", "no"), "error[E607]: --runtime no is not there"),
        (("-o", "page", "--runtime", "little.cat"), "error[E607]: --runtime little.cat is no archive of npm"),
        (("-o", "full", "--runtime", "dist"), "error[E608]: full holds other files (index.html)"),
        (("-o", "little.cat", "--runtime", "dist"), "error[E608]: little.cat is no folder"),
        (("-o", "little.cat/page", "--runtime", "dist"), "error[E608]: cannot write little.cat/page"),
        (("-o", "page", "--runtime", "dist", "--half", "--int8", "--calibration", "."), "error[E607]: --half and"),
    ],
)
def test_what_is_refused(cli, little, words, told):
    (cli.folder / "full").mkdir()
    # A page of somebody else's, under a name that would be written.
    (cli.folder / "full" / "index.html").write_text("mine")
    before = left(cli)
    assert told in cli("export", *little, *words, code=1).stderr
    assert left(cli) == before


def test_the_runtime_goes_with_web(cli, little):
    assert "--runtime goes with --web" in cli("export", "little.cat", "-o", "x.py", "--runtime", "dist", code=2).stderr


def test_examples_are_those_of_an_evaluated_run(cli):
    folder = cli.begun() / "report" / "images" / "input"
    folder.mkdir(parents=True)
    assert examples_of(cli.folder / "run") == ()
    for i in range(10):
        Image.new("RGB", (16, 16), (i, 0, 0)).save(folder / f"{i:05}.png")
    assert examples_of(cli.folder / "run") == tuple((folder / f"0000{i}.png").read_bytes() for i in (0, 2, 5, 7))
    assert examples_of(cli.folder / "tiny.cat") == ()


_NO_EXAMPLES = {
    "a secret": (lambda path, secret: path.write_bytes(secret.read_bytes()), "E602"),
    "a link out of the run": (lambda path, secret: path.symlink_to(secret), "E604"),
    "a link to another file of the run": (lambda path, _: path.symlink_to("../../../run.json"), "E602"),
    "a pipe": (lambda path, _: os.mkfifo(path), "E602"),
    "another format": (lambda path, _: Image.new("RGB", (16, 16)).save(path, "JPEG"), "E602"),
}


@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
@pytest.mark.parametrize("case", _NO_EXAMPLES)
def test_what_is_no_picture_of_the_run_is_not_published(cli, case):
    secret = cli.folder / "secret"
    secret.write_text("a key")
    folder = cli.begun() / "report" / "images" / "input"
    folder.mkdir(parents=True)
    make, code = _NO_EXAMPLES[case]
    make(folder / "00000.png", secret)
    with pytest.raises(CatError, match=code):
        examples_of(cli.folder / "run")


def test_a_large_example_is_held_to_the_limit(cli, monkeypatch):
    folder = cli.begun() / "report" / "images" / "input"
    folder.mkdir(parents=True)
    Image.new("RGB", (64, 64)).save(folder / "00000.png")
    monkeypatch.setenv(VARIABLE, "pixels=100")
    with pytest.raises(CatError, match="--limit pixels="):
        examples_of(cli.folder / "run")


def test_the_examples_of_a_run_with_accepted_changes(cli):
    run = cli.begun()
    (run / "spec" / "tiny.cat").write_text(TINY + "# edited\n")
    with pytest.raises(CatError, match="E604"):
        examples_of(run)
    assert examples_of(run, Acceptance(True)) == ()
