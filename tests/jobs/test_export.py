"""`catdsl export` as users call it: what it writes, and what it refuses with nothing left behind."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catdsl.acceptance import STRICT
from catdsl.backend.weights import save_weights
from catdsl.export import checking
from catdsl.jobs import export as job
from catdsl.project import load
from tests.export.networks import network

_SPEC = """
generator little {
    input photo: image(3, 16, 16)
    y = photo -> conv(4, 3, stride = 2) -> instance_norm -> relu -> deconv(4, 4)
    output concat(photo, y) -> conv(3, 3) -> tanh
}
"""


@pytest.fixture
def little(cli):
    """A spec whose inputs must have even sides, and weights for it."""
    (cli.folder / "little.cat").write_text(_SPEC)
    made = network(load(cli.folder / "little.cat"))
    save_weights(made.module, cli.folder / "w.safetensors", {})
    return ("little.cat", "--weights", "w.safetensors")


def left(cli):
    return sorted(p.name for p in cli.folder.iterdir())


def test_a_python_file_with_its_weights(cli, little):
    done = cli("export", *little, "-o", "out/little.py")
    assert done.stdout.split() == ["out/little.safetensors", "out/little.py"]
    assert "height multiples of 2 from 4 on" in done.stderr
    assert "at 16 x 16, 18 x 20, 4 x 2, batches of 1 and 2" in done.stderr
    assert sorted(p.name for p in (cli.folder / "out").iterdir()) == ["little.py", "little.safetensors"]


def test_weights_that_no_export_has_made_stay(cli, little):
    before = (cli.folder / "w.safetensors").read_bytes()
    refused = cli("export", *little, "-o", "w.py", code=1)
    assert "error[E608]: w.safetensors is a file that this command reads" in refused.stderr
    assert (cli.folder / "w.safetensors").read_bytes() == before
    assert "w.py" not in left(cli)
    cli("export", *little, "-o", "again.py")
    assert cli("export", *little, "-o", "again.py").stdout.split() == ["again.safetensors", "again.py"]


def test_json_tells_what_was_checked(cli, little):
    done = json.loads(cli("export", *little, "-o", "little.py", "--half", "--format", "json").stdout)
    assert done["files"] == ["little.safetensors", "little.py"]
    assert done["checked"]["sizes"] == [[16, 16], [18, 20], [4, 2]]
    assert 0 < done["checked"]["furthest"] < done["checked"]["tolerance"] == 0.02
    assert done["int8"] is None


@pytest.mark.slow
def test_onnx_and_program(cli, little):
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    before = left(cli)
    for name in ("little.onnx", "little.pt2"):
        assert cli("export", *little, "-o", name).stdout.split() == [name]
    assert left(cli) == sorted([*before, "little.onnx", "little.pt2"])


@pytest.mark.slow
def test_only_exact_models_are_rewritten_for_the_kernels_of_onnxruntime(cli):
    """Those for half precision and int8 are others, and `--as-searched` wants the network as it was found."""
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    onnx = pytest.importorskip("onnx")
    (cli.folder / "narrow.cat").write_text(
        "generator narrow { input x: image(3, 16, 16)\noutput x -> conv(12, 1) -> norm -> relu -> conv(3, 3) -> tanh }"
    )
    save_weights(network(load(cli.folder / "narrow.cat")).module, cli.folder / "w.safetensors", {})

    def convs(*words: str) -> list[str]:
        cli("export", "narrow.cat", "--weights", "w.safetensors", "-o", "narrow.onnx", *words)
        made = [node.op_type for node in onnx.load(str(cli.folder / "narrow.onnx")).graph.node]
        return [name for name in made if "Conv" in name]

    assert convs() == ["Conv", "ConvTranspose"]
    assert convs("--half") == convs("--as-searched") == ["Conv", "Conv"]
    (cli.folder / "photos").mkdir()
    for i in range(4):
        pixels = np.random.default_rng(i).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(cli.folder / "photos" / f"{i}.png")
    assert convs("--int8", "--calibration", "photos") == ["Conv", "Conv"]


@pytest.mark.slow
def test_int8_says_what_it_costs(cli, little):
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    (cli.folder / "photos").mkdir()
    for i in range(10):
        pixels = np.random.default_rng(i).integers(0, 256, (17, 22, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(cli.folder / "photos" / f"{i}.png")
    done = json.loads(
        cli(
            "export", *little, "-o", "little.onnx", "--int8", "--calibration", "photos", "--format", "json"
        ).stdout
    )  # fmt: skip
    cost = done["int8"]
    assert (cost["calibrated"], cost["images"], cost["held_out"]) == (10, 10, False)
    assert 1e-5 < cost["l1"]["low"] <= cost["l1"]["value"] <= cost["l1"]["high"] < 0.05
    onnx = pytest.importorskip("onnx")
    model = onnx.load(str(cli.folder / "little.onnx"))
    assert "QuantizeLinear" in {n.op_type for n in model.graph.node}
    assert {p.key: p.value for p in model.metadata_props}["catdsl.precision"].startswith("int8")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-o", "x.tflite"), "error[E607]: `x.tflite` has no ending of a format"),
        (("-o", "x.py", "--int8", "--calibration", "."), "error[E607]: int8 is written as .onnx alone, not as .py"),
        (("-o", "x.onnx", "--half", "--int8", "--calibration", "."), "error[E607]: --half and --int8 cannot both"),
        (("-o", "x.onnx", "--int8", "--calibration", "no"), "error[E602]"),
        (("-o", "folder.py"), "error[E608]: folder.py is a folder"),
        (("-o", "little.cat/x.py"), "error[E608]: cannot write little.cat/x.py"),
    ],
)
def test_what_is_refused(cli, little, words, told):
    (cli.folder / "folder.py").mkdir()
    before = left(cli)
    assert told in cli("export", *little, *words, code=1).stderr
    assert left(cli) == before


def test_the_endings_are_listed(cli, little):
    assert ".onnx, .py, .pt2" in cli("export", *little, "-o", "x.tflite", code=1).stderr


def test_int8_and_its_images_belong_together(cli, little):
    assert "belong together" in cli("export", *little, "-o", "x.onnx", "--int8", code=2).stderr


def test_missing_weights(cli, little):
    told = cli("export", "little.cat", "-o", "x.py", code=1).stderr
    assert "error[E605]: little.cat has no weights by itself" in told
    assert "--weights FILE" in told
    assert "E605" in cli("export", "little.cat", "--weights", "no.safetensors", "-o", "x.py", code=1).stderr


def test_a_run_without_a_network(cli):
    cli.begun()
    assert "error[E603]" in cli("export", "run", "-o", "x.py", code=1).stderr


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder(cli, little):
    (cli.folder / "shut").mkdir(mode=0o555)
    assert "error[E608]: cannot write shut/x.py" in cli("export", *little, "-o", "shut/x.py", code=1).stderr


def test_a_full_disk(cli, little, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(job.FORMATS, ".py", replace(job.FORMATS[".py"], write=full))
    before = left(cli)
    told = cli("export", *little, "-o", "x.py", code=1).stderr
    assert "error[E608]: cannot write x.py: No space left on device" in told
    assert left(cli) == before


@pytest.mark.skipif(os.name != "posix", reason="files have modes on POSIX alone")
def test_files_are_as_readable_as_any_other(cli, little):
    cli("export", *little, "-o", "x.py")
    (cli.folder / "other").touch()
    modes = {(cli.folder / name).stat().st_mode for name in ("x.py", "x.safetensors", "other")}
    assert len(modes) == 1


def test_a_run_whose_student_is_not_trained_yet(cli):
    """It has a teacher, and what is asked for is the student."""
    (cli.begun() / "teacher").mkdir()
    (cli.folder / "run" / "teacher" / "weights.safetensors").touch()
    told = cli("export", "run", "-o", "x.py", code=1).stderr
    assert "error[E603]: the run run has no trained student yet" in told
    assert "--use-teacher" in told


def test_a_folder_that_refuses(cli, little, monkeypatch):
    """The same as a read-only one, also where the tests run as root."""

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied", "shut")

    monkeypatch.setattr("catdsl.files.temporary_folder", refused)
    told = cli("export", *little, "-o", "shut/x.py", code=1).stderr
    assert "error[E608]: cannot write shut/x.py: Permission denied" in told


def test_without_the_extra(cli, little, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    told = cli("export", *little, "-o", "x.onnx", code=1).stderr
    assert "error[E607]: onnxruntime is not installed" in told
    assert "pip install 'catdsl[onnx]'" in told


def test_a_file_that_computes_something_else_is_not_left(cli, little, monkeypatch):
    before = left(cli)
    right = job.FORMATS[".py"]
    wrong = replace(right, run=lambda p, i: [x + 0.01 for x in right.run(p, i)])
    monkeypatch.setitem(job.FORMATS, ".py", wrong)
    told = cli("export", *little, "-o", "x.py", code=1).stderr
    assert "error[E609]: the Python file computes something else than the network at 16 x 16, batch 1" in told
    assert left(cli) == before
    assert checking.TOLERANCE == 1e-4


def test_an_old_file_stays_where_a_new_one_is_wrong(cli, little, monkeypatch):
    (cli.folder / "x.py").write_text("mine\n")
    right = job.FORMATS[".py"]
    monkeypatch.setitem(job.FORMATS, ".py", replace(right, run=lambda p, i: []))
    with pytest.raises(ValueError, match="zip"):
        job.export(job.chosen(cli.folder / "little.cat", cli.folder / "w.safetensors", {}, teacher=False,
                              acceptance=STRICT),
                   cli.folder / "x.py", half=False, say=lambda line: None, overwrite=True)  # fmt: skip
    assert (cli.folder / "x.py").read_text() == "mine\n"


def test_a_file_that_does_not_run_is_not_left(cli, little, monkeypatch):
    def fails(*_):
        raise AssertionError("Guard failed: height > 4\nand more")

    before = left(cli)
    monkeypatch.setitem(job.FORMATS, ".py", replace(job.FORMATS[".py"], run=fails))
    told = cli("export", *little, "-o", "x.py", code=1).stderr
    assert "error[E609]: the Python file does not run: Guard failed: height > 4\n" in told
    assert left(cli) == before


@pytest.mark.parametrize("first", [True, False])
def test_a_file_and_its_weights_are_replaced_together(cli, little, monkeypatch, first):
    if not first:
        cli("export", *little, "-o", "x.py")
    before = {path.name: path.read_bytes() for path in cli.folder.iterdir()}
    real = os.replace

    def full(source, target):
        if Path(target).name == "x.py" and Path(source).parent.name != "before":
            raise OSError(28, "No space left on device", str(target))
        real(source, target)

    monkeypatch.setattr(os, "replace", full)
    told = cli("export", *little, "-o", "x.py", "--half", code=1).stderr
    assert "error[E608]: cannot write x.py: No space left on device" in told
    assert {path.name: path.read_bytes() for path in cli.folder.iterdir()} == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--data", "photos"), "--data goes with --int8"),
        (("--squeezenet-weights", "s.pth"), "--squeezenet-weights goes with --int8"),
        (("--use-teacher",), "it is for a RUN"),
        (("--web", "-o", "page.onnx"), "with --web it names a folder"),
    ],
)
def test_what_would_have_no_effect_is_refused(cli, little, words, told):
    assert told in " ".join(cli("export", *little, "-o", "x.py", *words, code=2).stderr.split())


def test_a_run_takes_no_values(cli):
    (cli.folder / "run").mkdir()
    told = cli("export", "run", "-o", "x.py", "--set", "ngf=4", code=2).stderr
    assert "it is for a SPEC" in told


def test_a_spec_whose_file_name_is_code(cli, little):
    """Neither the check nor an import of what was written runs it."""
    name = 'a"""\nopen("harm", "w").close()\n"""b.cat'
    (cli.folder / name).write_text(_SPEC)
    cli("export", name, *little[1:], "-o", "out.py")
    subprocess.run([sys.executable, "-c", "import out; print(out.load())"], cwd=cli.folder, check=True)
    cli("build", name, "-o", "built")
    scope = {}
    exec(compile((cli.folder / "built" / "module.py").read_text(), "module.py", "exec"), scope)
    assert callable(scope["forward"])
    assert scope["SPEC"] == name.replace("\n", "\N{REPLACEMENT CHARACTER}")
    assert not (cli.folder / "harm").exists()
