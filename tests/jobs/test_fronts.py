"""`sweep` and `explain-plan`: many plans at once, and the reasons of one."""

import json
import re
from xml.etree import ElementTree

import pytest

from catdsl.diagnostics import CatError
from catdsl.jobs.sweep import budgets


def test_ranges_and_lists_of_budgets():
    asked = budgets("5%..60%")
    assert (asked[0], asked[-1], len(asked)) == ("5%", "60%", 12)
    assert budgets("60%..5%") == asked
    assert budgets("10%, 2.6G") == ["10%", "2.6G"]
    with pytest.raises(CatError, match="E402"):
        budgets("5..60")


def test_a_front_grows_with_its_budgets(cli):
    cli("train", "tiny.cat", "-o", "run", "--steps", 2)
    done = cli("sweep", "tiny.cat", "--teacher", "run", "--budgets", "30%..90%", "-o", "front", "--format", "json")
    front = json.loads(done.stdout)
    assert front == json.loads((cli.folder / "front" / "front.json").read_text())
    costs = [plan["macs"]["exact"] for plan in front]
    assert len(front) == 12
    assert costs == sorted(costs)
    assert all(plan["macs"]["exact"] <= plan["budget"]["exact"] for plan in front)
    assert front[0]["importance"] < front[-1]["importance"] <= 1
    picture = ElementTree.parse(cli.folder / "front" / "front.svg").getroot()
    dots = [e for e in picture.iter() if e.tag.endswith("rect") and (e.get("class") or "").startswith("mark")]
    assert len(dots) == 12
    assert "E603" in cli("sweep", "tiny.cat", "--teacher", "run", "-o", "front", code=1).stderr
    assert "importance" in cli("sweep", "tiny.cat", "--teacher", "run", "--budgets", "50%").stdout


def test_a_front_of_memory(cli):
    cli("train", "tiny.cat", "-o", "run", "--steps", 2)
    done = cli("sweep", "tiny.cat", "--teacher", "run", "--budgets", "memory=60%..100%", "--format", "json")
    front = json.loads(done.stdout)
    assert len(front) == 12
    assert all(plan["memory"] <= plan["budget"]["memory"] for plan in front)
    assert not any(plan["claims"]["maximal"] for plan in front)


def test_a_plan_is_explained_and_asked_what_if(cli):
    cli("compress", "tiny.cat", "--budget", "60%", "-o", "run", "--steps", 2)
    plan = json.loads((cli.folder / "run" / "plan.json").read_text())
    shown = cli("explain-plan", "run").stdout
    for name, count in plan["kept"].items():
        line = next(line for line in shown.splitlines() if line.startswith(f"{name} "))
        assert f"{count} of " in line
        assert ".cat:" in line or "std.inception:" in line
    kept = cli("explain-plan", "run", "--keep", "stem.*").stdout
    assert "8 of 8" in next(line for line in kept.splitlines() if line.startswith("stem.conv0"))
    higher = cli("explain-plan", "run", "--floor", "5").stdout
    counts = [int(line.split()[1]) for line in higher.splitlines() if line.startswith(("stem", "head"))]
    assert min(counts) >= 5
    lower = cli("explain-plan", "run", "--floor", "1", "--format", "json").stdout
    assert json.loads(lower)["widths"]
    (cli.folder / "run" / "scores.safetensors").unlink()
    assert cli("explain-plan", "run").stdout == shown
    assert "E201" in cli("explain-plan", "run", "--keep", "nothing.*", code=1).stderr
    assert "E401" in cli("explain-plan", "run", "--keep", "*", code=1).stderr
    assert "E603" in cli("explain-plan", "absent", code=1).stderr


def _reasons(text: str) -> list[list[str]]:
    """What an explanation says of widths, without the place of the spec, which a run has a copy of."""
    return [line.split()[:-1] for line in text.splitlines()[2:]]


def test_taylor_scores_come_from_the_images_of_a_teacher(cli):
    (cli.folder / "tiny.cat").write_text(
        (cli.folder / "tiny.cat").read_text().replace("floor = 2", "floor = 2, score = taylor, batches = 2")
    )
    cli("compress", "tiny.cat", "--budget", "60%", "-o", "run", "--steps", 2)
    plan = json.loads((cli.folder / "run" / "plan.json").read_text())
    data = next(cli.cache.rglob("train")).parent
    asked = ("plan", "tiny.cat", "--budget", "60%", "--format", "json")
    again = cli(*asked, "--teacher", "run", "--data", data)
    assert json.loads(again.stdout)["kept"] == plan["kept"]
    saved = cli(*asked, "--scores", "run/scores.safetensors")
    assert json.loads(saved.stdout)["channels"] == plan["channels"]
    assert json.loads(cli(*asked, "--teacher", "run").stdout)["channels"] == plan["channels"]
    assert "--data" in cli(*asked, "--teacher", "run/teacher/weights.safetensors", code=1).stderr
    assert _reasons((cli.folder / "run" / "plan.txt").read_text()) == _reasons(cli("explain-plan", "run").stdout)


def test_budgets_of_memory_weights_and_latency(cli):
    cli("train", "tiny.cat", "-o", "run", "--steps", 2)
    plan = ("plan", "tiny.cat", "--teacher", "run", "--format", "json", "--budget")
    assert "E406" in cli(*plan, "latency=1ms", code=1).stderr
    shown = cli("measure", "tiny.cat", "-o", "times.json").stdout
    assert "median error" in shown
    done = json.loads(cli(*plan, "latency=95%,memory=80%,weights=90%", "--times", "times.json").stdout)
    assert done["latency"] <= done["budget"]["latency"]
    assert done["memory"] <= done["budget"]["memory"]
    assert done["weights"] <= done["budget"]["weights"] < done["teacher"]["weights"]
    assert done["claims"] == {"maximal": False, "monotone_cut": False, "within": True}
    assert done["predicted"]["student"] == done["latency"]
    told = cli("plan", "tiny.cat", "--teacher", "run", "--times", "times.json", "--budget", "latency=95%").stdout
    assert "as predicted" in told
    assert "predicted" in told
    compress = ("compress", "tiny.cat", "--budget", "latency=95%", "-o", "quick", "--steps", 2)
    first = cli(*compress, "--times", "times.json")
    (cli.folder / "times.json").unlink()
    # The run has the table that it began with, and says of it what it said then: whether MACs bring
    # speed (E407) is up to the times, nothing else may be wrong.
    again = cli(*compress, "--resume")
    told = re.findall(r"E4\d\d", again.stderr)
    assert told == re.findall(r"E4\d\d", first.stderr)
    assert set(told) <= {"E407"}
    assert _reasons((cli.folder / "quick" / "plan.txt").read_text()) == _reasons(cli("explain-plan", "quick").stdout)
    networks = json.loads(cli("measure", "tiny.cat", "-o", "times.json", "--format", "json").stdout)["networks"]
    assert [n["name"] for n in networks] == [f"tiny.cat at {share}%" for share in (100, 60, 30, 10)]
    assert "E405" in cli("measure", "quick/student.cat", code=1).stderr
