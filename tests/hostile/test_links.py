"""Links in a received run that lead out of it, through the commands that read runs and write into them."""

import os
from pathlib import Path

import pytest

from tests.hostile.doors import RUN
from tests.hostile.refusing import refused

pytestmark = pytest.mark.slow

COMMANDS = ("evaluate", "compress --resume", "translate", "export", "export --web", "compress --teacher")
FILES = (
    ".writer.json", ".lock", "run.json", "plan.json", "result.json", "graph.svg", "comparison.png", "student.cat",
    "teacher/metrics.jsonl", "teacher/weights.safetensors", "student/checkpoint.pt", "report/report.md",
    "report/images/input/00000.png",
)  # fmt: skip
FOLDERS = ("teacher", "spec", "report", "report/images")


@pytest.mark.parametrize("inside", [*FILES, *FOLDERS])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_link_that_leads_out_of_a_run(cli, place: Path, name: str, inside: str) -> None:
    """What it leads to is the very thing that lay there, so that the link alone is in question."""
    link, theirs = place / "run" / inside, place / "theirs"
    if link.exists():
        link.rename(theirs)
    else:
        theirs.write_text("somebody's")
    link.symlink_to(os.path.relpath(theirs, link.parent))
    told = refused(cli, RUN.words(name, "run"), codes="E604")
    assert f"run/{inside} is a link" in told


def test_a_link_that_leads_nowhere_or_in_a_circle(cli, place: Path) -> None:
    link = place / "run" / "result.json"
    for target, told in (("../nothing", "leads out of the run folder"), ("result.json", "in a circle")):
        link.unlink()
        link.symlink_to(target)
        assert told in refused(cli, RUN.words("evaluate", "run"), codes="E604")
        assert not (place / "nothing").exists()


def test_links_that_stay_inside_and_a_run_that_is_one(cli, place: Path) -> None:
    run = place / "run"
    (run / "teacher" / "metrics.jsonl").rename(run / "metrics")
    (run / "teacher" / "metrics.jsonl").symlink_to("../metrics")
    # Not among the files of a run: the user's own.
    (run / "mine").symlink_to(place / "photo.png")
    run.rename(place / "elsewhere")
    run.symlink_to("elsewhere")
    for name in ("translate", "export", "evaluate", "compress --resume"):
        cli(*RUN.words(name, "run"))
    assert (run / "mine").is_symlink()


def test_pictures_of_a_report_without_a_list(cli, place: Path) -> None:
    """`evaluate` takes what bears the names of its files, and nothing else, for its own."""
    report = place / "run" / "report"
    (report / "files.json").unlink()
    (report / "logo.svg").write_text("somebody's")
    cli("evaluate", "run")
    assert (report / "logo.svg").read_text() == "somebody's"
