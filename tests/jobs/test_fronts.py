"""`sweep` and `explain-plan`: many plans at once, and the reasons of one."""

import json
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
    dots = [e for e in picture.iter() if e.tag.endswith("rect") and e.get("class") == "left"]
    assert len(dots) == 12
    assert "E603" in cli("sweep", "tiny.cat", "--teacher", "run", "-o", "front", code=1).stderr
    assert "importance" in cli("sweep", "tiny.cat", "--teacher", "run", "--budgets", "50%").stdout


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
    assert "E201" in cli("explain-plan", "run", "--keep", "nothing.*", code=1).stderr
    assert "E401" in cli("explain-plan", "run", "--keep", "*", code=1).stderr
    assert "E603" in cli("explain-plan", "absent", code=1).stderr
