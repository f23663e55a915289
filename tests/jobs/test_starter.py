"""`catdsl new`: a spec that checks as it is, and that takes the place of nothing."""

import pytest

from catdsl.project import load


def test_a_new_spec_is_right(cli):
    assert cli("new", "sketch").stdout.strip() == "sketch.cat"
    cli("check", "sketch.cat")
    cli("fmt", "--check", "sketch.cat")
    assert load(cli.folder / "sketch.cat").graph.name == "sketch"


def test_nothing_is_written_over(cli):
    (cli.folder / "mine.cat").write_text("# mine")
    assert "E603" in cli("new", "mine", code=1).stderr
    assert (cli.folder / "mine.cat").read_text() == "# mine"


@pytest.mark.parametrize("name", ["9lives", "a-b", "block", "", "../"])
def test_names_that_a_generator_cannot_have(cli, name):
    assert "E104" in cli("new", name, code=1).stderr
