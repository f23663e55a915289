"""A file is replaced where the same command has made it, and otherwise only if told --overwrite."""

import json
from pathlib import Path

import pytest

from catdsl.diagnostics import CatError
from catdsl.jobs.targets import check_target, made_by, marked, write_marked

ENDINGS = (".svg", ".html", ".md", ".mmd", ".dot", ".py", ".cat", ".json")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_text_is_known_again_until_it_is_changed(tmp_path: Path, ending: str) -> None:
    path, text = tmp_path / f"x{ending}", '{\n "a": 1\n}\n' if ending == ".json" else "words\n"
    write_marked(path, text, "graph", overwrite=False)
    assert made_by(path, "graph")
    assert not made_by(path, "compare")
    write_marked(path, text.replace("1", "2"), "graph", overwrite=False)
    if ending == ".json":
        assert json.loads(path.read_text())["a"] == 2
    for changed in (path.read_bytes() + b"\n", path.read_bytes().replace(b"\n", b"\r\n"), b"", b"mine", b"\xff\xfe{"):
        path.write_bytes(changed)
        with pytest.raises(CatError, match=r"(?s)E608.*catdsl graph.*--overwrite"):
            check_target(path, "graph", overwrite=False)
        check_target(path, "graph", overwrite=True)


def test_a_mark_in_the_middle_is_none(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text(marked("one\n", ".md", "compare") + "two\n")
    assert not made_by(path, "compare")
    path.write_text(marked(path.read_text(), ".md", "compare"))
    assert made_by(path, "compare")


def refused(cli, *words):
    told = cli(*words, code=1).stderr
    assert "E608" in told
    assert "--overwrite" in told


def test_every_command_spares_what_it_has_not_made(cli):
    """Once where nothing is, again, then over a file of the user's: refused, and replaced if told to."""
    cli("build", "tiny.cat", "-o", "built")
    (cli.folder / "built" / "mine.txt").write_text("mine")
    assert "--overwrite" in cli("build", "tiny.cat", "-o", "built", code=1).stderr
    cli("build", "tiny.cat", "-o", "built", "--overwrite")
    assert sorted(p.name for p in (cli.folder / "built").iterdir()) == [
        "graph.json", "mine.txt", "module.py", "summary.txt", "weights.safetensors",
    ]  # fmt: skip
    weights = cli.folder / "built" / "weights.safetensors"
    commands = {
        "graph.svg": ("graph", "tiny.cat"),
        "graph.html": ("graph", "tiny.cat"),
        "graph.json": ("graph", "tiny.cat"),
        "student.cat": ("plan", "tiny.cat", "--budget", "50%", "--teacher", weights),
        "teacher.safetensors": ("import-weights", "tiny.cat", weights),
        "x.py": ("export", "tiny.cat", "--weights", weights),
        "bench.json": ("bench", "tiny.cat", "--runs", 1, "--forms", "eager"),
    }
    for name, words in commands.items():
        path = cli.folder / name
        cli(*words, "-o", name)
        made = path.read_bytes()
        cli(*words, "-o", name)
        path.write_bytes(b"mine")
        refused(cli, *words, "-o", name)
        assert path.read_bytes() == b"mine"
        cli(*words, "-o", name, "--overwrite")
        assert path.read_bytes() == made or name == "bench.json"
    assert sorted(path.name for path in cli.folder.iterdir() if path.name.startswith(".")) == []


def test_a_trained_network_is_not_imported_over(cli):
    cli("build", "tiny.cat", "-o", "built")
    other = cli.folder / "built" / "weights.safetensors"
    (cli.folder / "given.safetensors").write_bytes(other.read_bytes())
    refused(cli, "import-weights", "tiny.cat", "given.safetensors", "-o", "built/weights.safetensors")


def test_a_front_is_written_over_if_told(cli):
    cli("build", "tiny.cat", "-o", "built")
    words = ("sweep", "tiny.cat", "--budgets", "50%,80%", "--teacher", "built/weights.safetensors", "-o", "front")
    cli(*words)
    assert "--overwrite" in cli(*words, code=1).stderr
    (cli.folder / "front" / "notes.txt").write_text("mine")
    cli(*words, "--overwrite")
    assert (cli.folder / "front" / "notes.txt").read_text() == "mine"


def test_a_table_of_times_is_known_by_what_it_holds(cli):
    (cli.folder / "times.json").write_text("{}")
    refused(cli, "measure", "tiny.cat", "-o", "times.json")
    assert (cli.folder / "times.json").read_text() == "{}"


READ = {
    "graph": ("graph", "{s.json}", "-o", "s.json"),
    "graph --diff": ("graph", "tiny.cat", "--diff", "{s.json}", "-o", "s.json"),
    "graph --scores": ("graph", "tiny.cat", "--scores", "{s.html}", "-o", "s.html"),
    "build": ("build", "{built/graph.json}", "-o", "built"),
    "bench": ("bench", "{s.json}", "-o", "s.json"),
    "measure": ("measure", "{s.cat}", "-o", "s.cat"),
    "plan": ("plan", "{s.cat}", "--budget", "50%", "--scores", "s.npz", "-o", "s.cat"),
    "plan --scores": ("plan", "tiny.cat", "--budget", "50%", "--scores", "{s.npz}", "-o", "s.npz"),
    "plan --times": ("plan", "tiny.cat", "--budget", "50%", "--teacher", "w", "--times", "{t.json}", "-o", "t.json"),
    "sweep --times": ("sweep", "tiny.cat", "--teacher", "w", "--times", "{front/front.json}", "-o", "front"),
    "export": ("export", "{s.py}", "--weights", "w.safetensors", "-o", "s.py"),
    "export --weights": ("export", "tiny.cat", "--weights", "{w.safetensors}", "-o", "w.py"),
    "import-weights": ("import-weights", "tiny.cat", "{w.safetensors}", "-o", "w.safetensors"),
}


@pytest.mark.parametrize("name", READ)
def test_no_command_replaces_what_it_reads(cli, name):
    """By its own name or by a link's, and even with --overwrite."""
    cli("build", "tiny.cat", "-o", "initial")
    (cli.folder / "initial" / "weights.safetensors").rename(cli.folder / "w.safetensors")
    given = next(word[1:-1] for word in READ[name] if word.startswith("{"))
    path = cli.folder / given
    path.parent.mkdir(exist_ok=True)
    if given != "w.safetensors":
        path.write_bytes((cli.folder / "tiny.cat").read_bytes())
    (cli.folder / "other").symlink_to(given)
    before = path.read_bytes()
    for by in (given, "other"):
        words = [by if word.startswith("{") else word for word in READ[name]]
        told = cli(*words, "--overwrite", code=1).stderr
        assert "E608" in told
        assert f"{given} is a file that this command reads" in told
        assert path.read_bytes() == before
