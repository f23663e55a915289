"""Files behind `use`: beside the spec or in the library, and nowhere else."""

import os
from pathlib import Path

import pytest

from catdsl.diagnostics import CatError, Diagnostic
from catdsl.project import Project, load

BLOCK = "block f(x) { return x -> conv(8, 3) -> norm }\n"
GENERATOR = "generator g { input x: image(3, 16, 16) output x -> f -> conv(3, 1) }\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of specs, with a file outside it that must not be read."""
    inside = tmp_path / "specs"
    (inside / "parts").mkdir(parents=True)
    (tmp_path / "secret.cat").write_text(BLOCK)
    (inside / "blocks.cat").write_text(BLOCK)
    return inside


def spec(folder: Path, use: str, generator: str = GENERATOR) -> Path:
    path = folder / "spec.cat"
    path.write_text(f"{use}\n{generator}")
    return path


def problems(path: Path) -> tuple[Diagnostic, ...]:
    with pytest.raises(CatError) as caught:
        assert load(path).graph.nodes
    return caught.value.diagnostics


def test_a_file_beside_the_spec(folder: Path) -> None:
    project = load(spec(folder, 'use f from "blocks.cat"'))
    assert [n.name for n in project.graph.nodes] == ["x", "output.conv0", "output.norm0", "output.conv1"]
    assert len(project.spec.files) == 2
    assert project.graph.nodes[1].span is not None
    assert project.graph.nodes[1].span.file.endswith("blocks.cat")


def test_blocks_follow_the_style_of_the_file_that_uses_them(folder: Path) -> None:
    (folder / "blocks.cat").write_text("style { norm = instance }\n" + BLOCK)
    path = spec(folder, 'use f from "blocks.cat"\nstyle { norm = batch }')
    assert load(path).graph.nodes[2].op.name == "batch_norm"


def test_blocks_see_the_parameters_of_their_own_file(folder: Path) -> None:
    (folder / "blocks.cat").write_text("param n = 6\nblock f(x) { return x -> conv(n, 3) }\n")
    project = load(spec(folder, 'use f from "blocks.cat"\nparam n = 2\nstyle { init = normal(n) }'), {"n": "3"})
    assert project.graph.channels("output.conv0") == 6


def test_paths_are_relative_to_the_file_that_names_them(folder: Path) -> None:
    (folder / "parts" / "a.cat").write_text('use f from "../blocks.cat"\nblock h(x) { return x -> f }\n')
    path = spec(folder, 'use h from "parts/a.cat"', GENERATOR.replace("f ->", "h ->"))
    assert len(load(path).graph.nodes) == 4


def test_the_spec_may_be_named_from_anywhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec(folder, 'use f from "blocks.cat"')
    monkeypatch.chdir(folder.parent)
    project: Project = load(Path("specs") / "spec.cat")
    assert len(project.graph.nodes) == 4
    assert [f.shown for f in project.spec.files] == [str(Path("specs/spec.cat")), str(Path("specs/blocks.cat"))]


def outside_paths(folder: Path) -> list[str]:
    return ["../secret.cat", "parts/../../secret.cat", str(folder / "blocks.cat"), str(folder.parent / "secret.cat")]


@pytest.mark.parametrize("number", range(4))
def test_outside_the_folder(folder: Path, number: int) -> None:
    path = spec(folder, f'use f from "{outside_paths(folder)[number]}"')
    (found,) = problems(path)
    assert (found.code, "outside the folder" in found.message) == ("E210", True)
    assert (found.span and (found.span.line, found.span.column)) == (1, 12)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_may_not_lead_out_of_the_folder(folder: Path) -> None:
    (folder / "link.cat").symlink_to(folder.parent / "secret.cat")
    (folder / "linked").symlink_to(folder.parent)
    for target in ("link.cat", "linked/secret.cat"):
        (found,) = problems(spec(folder, f'use f from "{target}"'))
        assert (found.code, "outside the folder" in found.message) == ("E210", True)
    (folder / "inside.cat").symlink_to(folder / "blocks.cat")
    assert load(spec(folder, 'use f from "inside.cat"')).graph.nodes


def test_etc_passwd(folder: Path) -> None:
    for target in ("../../etc/passwd", "/etc/passwd"):
        (found,) = problems(spec(folder, f'use f from "{target}"'))
        assert found.code == "E210"
        assert "root:" not in repr(found)


def test_circles(folder: Path) -> None:
    (folder / "blocks.cat").write_text('use h from "parts/a.cat"\n' + BLOCK)
    (folder / "parts" / "a.cat").write_text('use f from "../blocks.cat"\nblock h(x) { return x -> f }\n')
    found = problems(spec(folder, 'use f from "blocks.cat"'))
    assert [d.code for d in found] == ["E210"]
    assert "circle" in found[0].message
    (folder / "spec.cat").write_text('use f from "spec.cat"\n' + GENERATOR)
    assert [d.code for d in problems(folder / "spec.cat")] == ["E210"]


@pytest.mark.parametrize(
    ("use", "part", "help_text"),
    [
        ('use f from "nope.cat"', "cannot read nope.cat", "check the path"),
        ('use f from "parts"', "is a folder", "name a .cat file"),
        ('use f from ""', "is a folder", "name a .cat file"),
        ("use f from std.nope", "the library has no `std.nope`", "it has std."),
        ("use f from std.inceptio", "the library has no", "did you mean `std.inception`?"),
        ("use f from spade_inception", "the library has no", ""),
    ],
)
def test_what_cannot_be_read(folder: Path, use: str, part: str, help_text: str) -> None:
    (found,) = problems(spec(folder, use))
    assert found.code == "E210"
    assert part in found.message
    assert help_text in found.help


def test_what_is_no_text(folder: Path) -> None:
    (folder / "blocks.cat").write_bytes(b"block \xff")
    (found,) = problems(spec(folder, 'use f from "blocks.cat"'))
    assert (found.code, "is not UTF-8 text (byte 6)" in found.message) == ("E210", True)


def test_a_null_byte_in_a_path(folder: Path) -> None:
    (found,) = problems(spec(folder, 'use f from "a\0b.cat"'))
    assert found.code == "E210"


def test_a_name_that_the_file_does_not_define(folder: Path) -> None:
    (found,) = problems(spec(folder, 'use ff from "blocks.cat"', GENERATOR.replace("f ->", "ff ->")))
    assert (found.code, found.help) == ("E201", "did you mean `f`?")


def test_a_name_that_is_defined_already(folder: Path) -> None:
    (found,) = problems(spec(folder, 'use f from "blocks.cat"\n' + BLOCK))
    assert found.code == "E203"


def test_mistakes_in_a_used_file_point_there(folder: Path) -> None:
    (folder / "blocks.cat").write_text("block f(x) {\n    return x -> conv(8, 3, strid = 2)\n}\n")
    with pytest.raises(CatError) as caught:
        assert load(spec(folder, 'use f from "blocks.cat"')).graph.nodes
    (found,) = caught.value.diagnostics
    assert found.span is not None
    assert (Path(found.span.file).name, found.span.line) == ("blocks.cat", 2)
    assert found.span.file in caught.value.sources


def test_syntax_errors_in_a_used_file_point_there(folder: Path) -> None:
    (folder / "blocks.cat").write_text("block f(x) { return }\n")
    (found,) = problems(spec(folder, 'use f from "blocks.cat"'))
    assert (found.code, found.span is not None and found.span.file.endswith("blocks.cat")) == ("E101", True)


def test_the_library(folder: Path) -> None:
    path = spec(folder, "use inc_res from std.inception", GENERATOR.replace("f ->", "conv(12, 3) -> inc_res ->"))
    assert "output.dense.0.conv0" in load(path).graph.node


def test_a_text_may_use_the_library_and_no_files() -> None:
    text = "use inc_res from std.inception\n" + GENERATOR.replace("f ->", "conv(12, 3) -> inc_res ->")
    assert load(text).graph.nodes
    with pytest.raises(CatError) as caught:
        assert load('use f from "blocks.cat"\n' + GENERATOR).graph.nodes
    assert [d.code for d in caught.value.diagnostics] == ["E210"]


def test_a_spec_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "nope.cat", tmp_path):
        with pytest.raises(CatError) as caught:
            load(path)
        assert [d.code for d in caught.value.diagnostics] == ["E210"]


def chain(folder: Path, length: int, uses: str) -> Path:
    """Files of which each takes its block from the next."""
    for i in range(length):
        text = uses.format(next=f"f{i + 1}.cat") + f"block f{i}(x) {{ return x -> f{i + 1} -> g{i + 1} }}\n"
        text = text.replace("FROM", f"f{i + 1}").replace("ALSO", f"g{i + 1}")
        (folder / f"f{i}.cat").write_text(text + f"block g{i}(x) {{ return x -> relu }}\n")
    last = f"block f{length}(x) {{ return x -> relu }}\nblock g{length}(x) {{ return x -> relu }}\n"
    (folder / f"f{length}.cat").write_text(last)
    return spec(folder, 'use f0 from "f0.cat"', GENERATOR.replace("f ->", "f0 ->"))


TWICE = 'use FROM from "{next}"\nuse ALSO from "{next}"\n'


def test_a_file_that_is_used_by_many_is_read_once(folder: Path) -> None:
    project = load(chain(folder, 25, TWICE))
    assert len(project.spec.files) == 27
    assert len([n for n in project.graph.nodes if n.op.name == "relu"]) == 26


def test_files_use_files_to_a_depth(folder: Path) -> None:
    found = problems(chain(folder, 40, TWICE))
    assert {d.code for d in found} == {"E103"}
