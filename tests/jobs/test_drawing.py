"""`catdsl graph`: every form by its ending, of one network and of any two."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.architecture.source import ROOT
from tests.view.forms import dot, explorer, mermaid
from tests.view.picture import problems


def changed(cli, name, **words):
    """Another spec, with words of the tiny one replaced."""
    text = (cli.folder / "tiny.cat").read_text(encoding="utf-8")
    for old, new in words.items():
        assert old in text
        text = text.replace(old, new)
    (cli.folder / name).write_text(text, encoding="utf-8")
    return name


def read(cli, name):
    return (cli.folder / name).read_text(encoding="utf-8")


def check(cli, stem):
    """The files of all forms hold together."""
    assert problems(read(cli, f"{stem}.svg")) == []
    assert mermaid(read(cli, f"{stem}.mmd")).problems == []
    assert dot(read(cli, f"{stem}.dot")).problems == []
    assert explorer(read(cli, f"{stem}.json"))[1] == []


ENDINGS = ("svg", "mmd", "dot", "json")


def test_a_form_by_the_ending(cli):
    for ending in ENDINGS:
        done = cli("graph", "tiny.cat", "-o", f"a.{ending}")
        assert f"a.{ending}" in done.stdout
    check(cli, "a")
    assert "body" in cli("graph", "tiny.cat").stdout


@pytest.mark.parametrize("name", ["x.doc", "x", "x.svg.gz"])
def test_another_ending_is_refused_with_those_that_are_known(cli, name):
    told = cli("graph", "tiny.cat", "-o", name, code=1).stderr
    assert "E607" in told
    assert all(f".{ending}" in told for ending in ENDINGS)
    assert not (cli.folder / name).exists()


def test_two_programs_are_set_against_each_other(cli):
    changed(cli, "other.cat", **{"kernels = [1, 3]": "kernels = [1, 5]", "param ngf = 8": "param ngf = 6"})
    for ending in (*ENDINGS, "html"):
        cli("graph", "other.cat", "--diff", "tiny.cat", "-o", f"a.{ending}")
    check(cli, "a")
    page = read(cli, "a.html")
    # Both bear one name: the files tell them apart, whatever the form.
    for ending in (*ENDINGS, "html"):
        assert re.search(r"tiny\.cat (→|\\u2192) other\.cat", read(cli, f"a.{ending}")), ending
    assert "8 → 6" in page
    assert "added" in page
    assert "8 → 6" in read(cli, "a.svg")
    assert "tiny.cat → other.cat" in read(cli, "a.svg")
    assert "parameters" in read(cli, "a.svg")
    tree = cli("graph", "other.cat", "--diff", "tiny.cat").stdout
    assert "8 -> 6" in tree
    assert "5x5" in tree
    assert any(text.startswith("MACs (exact)") and "%)" in text for text in tree.splitlines())
    back = cli("graph", "tiny.cat", "--diff", "other.cat").stdout
    assert "6 -> 8" in back


def test_a_renamed_statement_is_removed_and_added(cli):
    changed(cli, "other.cat", stem="trunk")
    tree = cli("graph", "other.cat", "--diff", "tiny.cat").stdout
    words = [text.split() for text in tree.splitlines()]
    assert any(text[0] == "stem" and text[-1] == "removed" for text in words)
    assert any(text[0] == "conv0" and text[-1] == "added" for text in words)


def test_two_students_of_one_teacher(cli):
    for name, words in (("one", {"stem.conv0": 4, "stem.conv1": 9}), ("two", {"stem.conv0": 7, "stem.conv1": 5})):
        _student(cli, f"{name}.cat", words)
    for ending in ENDINGS:
        cli("graph", "two.cat", "--diff", "one.cat", "-o", f"a.{ending}")
    check(cli, "a")
    tree = cli("graph", "two.cat", "--diff", "one.cat").stdout
    assert "4 -> 7" in tree
    assert "9 -> 5" in tree
    # Alone, each is drawn against the teacher that it came from.
    assert "8 -> 7" in cli("graph", "two.cat").stdout
    nodes, _ = explorer(read(cli, "a.json"))
    attributes = {pair["key"]: pair["value"] for pair in nodes["stem.conv0"]["attrs"]}
    assert attributes["width"] == "stem.conv0: 4 → 7"


def _student(cli, name, chosen):
    """A student program that keeps these counts, and the teacher's elsewhere."""
    from catdsl.project import load
    from catdsl.semantics.student_text import write_student

    project = load(cli.folder / "tiny.cat")
    kept = {w.name: chosen.get(w.name, w.count) for w in project.teacher_graph.widths if w.searched}
    text = write_student(
        spec=cli.folder / "tiny.cat", folder=cli.folder, files=project.spec.files,
        parameters=project.spec.parameters, kept=kept, budget={},
    )  # fmt: skip
    (cli.folder / name).write_text(text, encoding="utf-8")


def test_the_json_on_the_terminal_is_still_the_graph_itself(cli):
    assert json.loads(cli("graph", "tiny.cat", "--format", "json").stdout)["format"].startswith("catdsl-graph")


@pytest.mark.parametrize("ending", ENDINGS)
def test_drawing_loads_no_array_library(cli, ending):
    code = (
        f"import sys; sys.argv = ['catdsl', 'graph', 'tiny.cat', '-o', 'a.{ending}']\n"
        "from catdsl.cli import main\ntry:\n    main()\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "print(sorted({'numpy', 'torch', 'networkx', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=cli.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"
