"""Student programs: partial widths, bounds, changed specs, and what is written can be read."""

from pathlib import Path

import pytest

from catdsl.diagnostics import CatError, Diagnostic
from catdsl.project import Project, load
from catdsl.semantics.student import digest
from catdsl.semantics.student_text import write_student
from catdsl.semantics.values import Word
from tests.hostile_names import HOSTILE, in_a_file_name

SPEC = """
param n = 32
param kind = instance
style { norm = kind }
generator g {
    input x: image(3, 16, 16)
    stem = x -> conv(n in 8.., 3) -> norm -> relu
    half = stem -> conv(tied stem.channels / 2, 3) -> norm
    body = stem + (stem -> conv(8 in 0.., 3) -> norm -> conv(n, 3))
    output concat(half, body) -> conv(3, 3)
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "spec.cat").write_text(SPEC)
    return tmp_path


def student(folder: Path, rest: str) -> Project:
    path = folder / "student.cat"
    path.write_text(f'student of "spec.cat" {rest}\n')
    return load(path)


def problems(folder: Path, rest: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(CatError) as caught:
        assert student(folder, rest).graph.nodes
    return caught.value.diagnostics


def test_widths_that_are_not_named_keep_the_teachers_count(folder: Path) -> None:
    teacher = load(folder / "spec.cat").graph
    low = load(folder / "spec.cat").graph.width["stem.conv0"]
    assert (low.count, low.low, low.step) == (32, 32, 1)
    assert student(folder, "{ }").graph.counts == teacher.counts
    project = student(folder, "{ set { n = 64 } widths { body.conv0 = 5 } }")
    assert project.graph.counts == {**load(folder / "spec.cat", {"n": "64"}).graph.counts, "body.conv0": 5}
    assert project.student_counts == {"body.conv0": 5}
    assert project.teacher_graph.counts["body.conv0"] == 8


def test_a_width_of_0_leaves_the_branch_out(folder: Path) -> None:
    graph = student(folder, "{ widths { body.conv0 = 0 } }").graph
    assert not any(n.name.startswith("body") for n in graph.nodes)


def test_ties_follow(folder: Path) -> None:
    graph = student(folder, "{ set { n = 64 } widths { stem.conv0 = 40 } }").graph
    assert (graph.counts["stem.conv0"], graph.counts["half.conv0"]) == (40, 20)


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        ("stem.conv0 = 16", "`stem.conv0` takes 32 to 64 in steps of 2, got 16"),
        ("stem.conv0 = 33", "`stem.conv0` takes 32 to 64 in steps of 2, got 33"),
        ("stem.conv0 = 100", "`stem.conv0` takes 32 to 64 in steps of 2, got 100"),
        ("body.conv0 = 9", "`body.conv0` takes 0 to 8, got 9"),
        ("output.conv0 = 2", "`output.conv0` takes 3, got 2"),
        ("half.conv0 = 8", "`half.conv0` is tied to others and not chosen"),
        ("body.conv1 = 8", "`body.conv1` is no width of the spec"),
        ("stem = 8", "`stem` is no width of the spec"),
        ("body.conv0 = 5, body.conv0 = 5", "`body.conv0` stands twice"),
    ],
)
def test_widths_that_do_not_fit(folder: Path, widths: str, message: str) -> None:
    (found,) = problems(folder, f"{{ set {{ n = 64 }} widths {{ {widths} }} }}")
    assert (found.code, found.message) == ("E405", message)
    assert found.span is not None
    assert found.span.file.endswith("student.cat")


def test_every_width_that_does_not_fit_is_reported(folder: Path) -> None:
    found = problems(folder, "{ widths { nope = 1, body.conv0 = 9, stem.conv1 = 2 } }")
    assert [d.code for d in found] == ["E405"] * 3


def test_the_teachers_count_is_always_taken(tmp_path: Path) -> None:
    text = "generator g { input x: image(3, 8, 8) a = x -> conv(64 in 8..48, 3) output a -> conv(3, 1) }"
    (tmp_path / "spec.cat").write_text(text)
    assert student(tmp_path, "{ widths { a.conv0 = 64 } }").graph.counts["a.conv0"] == 64
    assert [d.code for d in problems(tmp_path, "{ widths { a.conv0 = 60 } }")] == ["E405"]


def test_a_changed_spec_is_a_warning(folder: Path) -> None:
    right = digest(load(folder / "spec.cat").spec.files)
    assert student(folder, f'sha256 "{right}" {{ widths {{ body.conv0 = 5 }} }}').warnings == ()
    (folder / "spec.cat").write_text(SPEC + "# changed\n")
    project = student(folder, f'sha256 "{right}" {{ widths {{ body.conv0 = 5 }} }}')
    assert project.graph.counts["body.conv0"] == 5
    assert [(w.code, w.severity.value) for w in project.warnings] == [("E405", "warning")]


def test_the_digest_covers_used_files(tmp_path: Path) -> None:
    (tmp_path / "blocks.cat").write_text("block f(x) { return x -> conv(8, 3) }\n")
    (tmp_path / "spec.cat").write_text(
        'use f from "blocks.cat"\ngenerator g { input x: image(3, 8, 8) output x -> f -> conv(3, 1) }\n'
    )
    before = digest(load(tmp_path / "spec.cat").spec.files)
    (tmp_path / "blocks.cat").write_text("block f(x) { return x -> conv(8, 1) }\n")
    assert digest(load(tmp_path / "spec.cat").spec.files) != before


def test_set_from_outside_goes_before_that_of_the_student(folder: Path) -> None:
    path = folder / "student.cat"
    path.write_text('student of "spec.cat" { set { n = 48, kind = batch } }\n')
    assert load(path).graph.counts["stem.conv0"] == 48
    assert load(path, {"n": "40"}).graph.counts["stem.conv0"] == 40
    assert load(path).settings.style.norm == "batch"


def test_wrong_parameters(folder: Path) -> None:
    assert [d.code for d in problems(folder, "{ set { m = 3 } }")] == ["E209"]
    assert [d.code for d in problems(folder, "{ set { n = batch } }")] == ["E209"]


def test_a_student_is_alone_in_its_file(folder: Path) -> None:
    (found,) = problems(folder, "{ }\nparam a = 1")
    assert (found.code, found.span and found.span.line) == ("E211", 2)


def test_a_student_of_nothing(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "{ }")
    assert (found.code, found.span and found.span.column) == ("E210", 12)


def test_a_student_of_a_wrong_spec_has_its_errors(folder: Path) -> None:
    (folder / "spec.cat").write_text("generator g { input x: image(3, 8, 8) output y }")
    (found,) = problems(folder, "{ }")
    assert (found.code, found.span is not None and found.span.file.endswith("spec.cat")) == ("E201", True)


def test_what_is_written_can_be_read(folder: Path) -> None:
    files = load(folder / "spec.cat").spec.files
    text = write_student(
        spec=folder / "spec.cat", folder=folder, files=files, parameters={"n": 64, "kind": Word("batch")},
        kept={"stem.conv0": 40, "body.conv0": 0}, budget={"macs": 123456, "count": "paper"},
    )  # fmt: skip
    path = folder / "written.cat"
    path.write_text(text)
    project = load(path)
    assert project.warnings == ()
    assert project.student_counts == {"stem.conv0": 40, "body.conv0": 0}
    assert project.graph.counts["half.conv0"] == 20
    assert project.settings.style.norm == "batch"


@pytest.mark.parametrize("name", HOSTILE)
def test_names_and_texts_are_held_whole_or_refused(name: str, folder: Path) -> None:
    """No text ends its string: a program names the very file, and nothing of it becomes part of the program."""
    text = in_a_file_name(HOSTILE[name])
    spec = folder / "texts" / text
    spec.parent.mkdir()
    spec.write_text(SPEC.replace("param kind = instance", 'param kind = "a"').replace("norm = kind", "norm = batch"))
    made = load(spec, {"kind": '"b"'})
    values = {**made.spec.parameters, "kind": HOSTILE[name]}
    for parameters in (made.spec.parameters, values):

        def write(parameters=parameters) -> str:
            return write_student(
                spec=spec, folder=folder, files=made.spec.files, parameters=parameters,
                kept={"body.conv0": 5}, budget={},
            )  # fmt: skip

        if not all(t.isprintable() and '"' not in t for t in (text, str(parameters["kind"]))):
            with pytest.raises(CatError, match="E608"):
                write()
            continue
        (folder / "student.cat").write_text(write(), encoding="utf-8")
        project = load(folder / "student.cat")
        assert project.student_counts == {"body.conv0": 5}
        assert project.student is not None
        assert project.student.spec.path == spec.resolve()
        assert project.spec.parameters == parameters
