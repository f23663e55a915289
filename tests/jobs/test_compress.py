"""The main job through the command line: a tiny spec from text to distilled student, and its abuse."""

import json

import pytest
from PIL import Image
from safetensors.numpy import load_file

from catdsl.project import load

SUPERRES = """
generator twice {
    input small: image(3, 16, 16)
    stem = small -> conv(6, 3) -> batch_norm -> relu
    large = stem -> conv(tied 4 * stem.channels, 3) -> pixel_shuffle(2)
    output (large -> conv(3, 3)) + (small -> resize(scale = 2, bilinear))
}
search { floor = 2 }
budget { macs = 70% }
train   { batch = 4, ndf = 4, discriminator_layers = 1 }
distill { taps = [stem, large], similarity = gka, weight = 1.0 }
evaluate { timing_runs = 2 }
"""


def test_targets_that_are_larger_than_the_input(cli):
    (cli.folder / "twice.cat").write_text(SUPERRES)
    cli("compress", "twice.cat", "-o", "large", "--steps", 2)
    result = json.loads((cli.folder / "large" / "result.json").read_text())
    assert result["student"]["macs"]["exact"] <= 0.7 * result["teacher"]["macs"]["exact"]
    Image.new("RGB", (23, 19), (200, 30, 30)).save(cli.folder / "odd.png")
    cli("translate", "large", "odd.png", "-o", "made")
    assert Image.open(cli.folder / "made" / "odd.png").size == (46, 38)


def test_compress_leaves_one_run_with_a_student_within_budget(cli):
    done = cli("compress", "tiny.cat", "--budget", "40%", "-o", "run", "--steps", 6)
    for word in ("MACs exact", "MACs paper", "parameters", "L1", "PSNR", "ms/image", "teacher", "student"):
        assert word in done.stdout
    run = cli.folder / "run"
    result = json.loads((run / "result.json").read_text())
    teacher, student = result["teacher"], result["student"]
    assert student["macs"]["exact"] <= 0.4 * teacher["macs"]["exact"]
    assert set(result["baselines"]) == {"mean image", "input"}
    assert (teacher["timing"]["runs"], teacher["timing"]["batch"], teacher["timing"]["device"]) == (2, 1, "cpu")
    assert 0 < teacher["timing"]["low_ms"] <= teacher["timing"]["milliseconds"] <= teacher["timing"]["high_ms"]
    assert 0 < student["timing"]["peak_bytes"] < teacher["timing"]["peak_bytes"]
    project = load(run / "student.cat")
    assert project.cost.exact == student["macs"]["exact"]
    assert project.cost.params == student["params"]
    assert not project.warnings
    weights = load_file(run / "student" / "weights.safetensors")
    assert weights["stem.conv0.weight"].shape[0] == project.graph.counts["stem.conv0"]
    for name in (
        "comparison.png",
        "graph.svg",
        "plan.json",
        "teacher/metrics.jsonl",
        "student/metrics.jsonl",
    ):
        assert (run / name).stat().st_size > 0
    assert "comparison.png" in done.stdout

    # What is finished is not done again, and never overwritten.
    before = {p: p.stat().st_mtime_ns for p in run.rglob("weights.safetensors")}
    cli("compress", "tiny.cat", "--budget", "40%", "-o", "run", "--steps", 6, "--resume")
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert "E603" in cli("compress", "tiny.cat", "--budget", "40%", "-o", "run", "--steps", 6, code=1).stderr
    changed = cli("compress", "tiny.cat", "--budget", "30%", "-o", "run", "--steps", 6, "--resume", code=1)
    assert "E604" in changed.stderr
    assert "budget" in changed.stderr

    # The student translates images of any size, at their size.
    Image.new("RGB", (23, 19), (200, 30, 30)).save(cli.folder / "odd.png")
    cli("translate", "run", "odd.png", "-o", "made")
    assert Image.open(cli.folder / "made" / "odd.png").size == (23, 19)

    # Its parts serve other commands.
    cli("graph", run / "student.cat", "-o", "student.svg")
    cli("graph", run / "student.cat", "-o", "student.html")
    cli("graph", run / "student.cat", "--teacher", "run", "-o", "explorer.html")
    planned = load(run / "student.cat").student.budget["macs"]
    assert f'"text": "{planned}"' in (cli.folder / "explorer.html").read_text("utf-8"), "it begins at the plan's budget"
    cli("plan", "tiny.cat", "--budget", "30%", "--teacher", "run", "-o", "other/student.cat")
    told = cli(
        "distill",
        "tiny.cat",
        "--student",
        "other/student.cat",
        "--teacher",
        "run",
        "-o",
        "second",
        "--steps",
        3,
    )
    assert "student" in told.stdout
    kept = load(cli.folder / "other" / "student.cat").student_counts
    assert load(cli.folder / "second" / "student.cat").student_counts == kept


def test_train_then_compress_uses_the_teacher_of_the_run(cli):
    cli("train", "tiny.cat", "-o", "run", "--steps", 4)
    weights = cli.folder / "run" / "teacher" / "weights.safetensors"
    before = weights.read_bytes()
    cli("compress", "tiny.cat", "--budget", "50%", "-o", "run", "--steps", 4, "--resume")
    assert weights.read_bytes() == before


def test_an_impossible_budget_is_refused_before_any_training(cli):
    done = cli("compress", "tiny.cat", "--budget", "0.01%", "-o", "run", code=1)
    assert "E401" in done.stderr
    assert "the smallest one takes" in done.stderr
    assert not (cli.folder / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("compress", "tiny.cat", "--budget", "lots", "-o", "r"), 1, "E402"),
        (("compress", "tiny.cat", "--data", "nowhere", "-o", "r"), 1, "E402"),
        (("compress", "tiny.cat", "--budget", "40%", "--data", "nowhere", "-o", "r"), 1, "E601"),
        (("compress", "tiny.cat", "--budget", "40%", "--device", "tpu", "-o", "r"), 1, "E607"),
        (("compress", "tiny.cat", "--budget", "40%", "--teacher", "nothing", "-o", "r"), 1, "E603"),
        (("train", "tiny.cat", "--steps", "0"), 2, "--steps"),
        (("train",), 2, "SPEC"),
        (("train", "tiny.cat", "--set", "ngf"), 2, "NAME=VALUE"),
        (("train", "tiny.cat", "--set", "nfg=4"), 1, "did you mean `ngf`"),
        (("translate", "tiny.cat", "x.png", "-o", "r"), 1, "E605"),
        (("plan", "tiny.cat", "--budget", "40%"), 1, "E403"),
        (("graph", "tiny.cat", "-o", "x.doc"), 1, "E607"),
        (("graph", "tiny.cat", "--teacher", "run"), 2, "need -o"),
        (("graph", "tiny.cat", "--scores", "no.npz", "-o", "a.html"), 1, "E403"),
        (("build", "tiny.cat", "-o", "."), 1, "E603"),
    ],
)
def test_wrong_use_is_told(cli, arguments, code, told):
    text = (cli.folder / "tiny.cat").read_text(encoding="utf-8")
    (cli.folder / "other.cat").write_text(text.replace("stem", "trunk"), encoding="utf-8")
    assert told in cli(*arguments, code=code).stderr


def test_the_run_tells_what_the_student_inherits(cli):
    done = cli("compress", "tiny.cat", "--budget", "40%", "-o", "run", "--steps", 2)
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("folded"))
    assert "into a running mean" in line
    held = json.loads((cli.folder / "run" / "inherited.json").read_text())
    assert set(held) == {"exact", "removals", "run", "digest"}
    assert held["removals"]
    nodes = load(cli.folder / "tiny.cat").graph.node
    for removal in held["removals"]:
        assert removal["reader"] in nodes
        assert removal["place"] in nodes
    assert f"{sum(r['exact'] for r in held['removals'])} of {len(held['removals'])} exact" in line


def test_a_fresh_student_inherits_nothing(cli):
    text = (cli.folder / "tiny.cat").read_text(encoding="utf-8")
    (cli.folder / "fresh.cat").write_text(text.replace("distill {", "distill { init = fresh,"), encoding="utf-8")
    done = cli("compress", "fresh.cat", "--budget", "40%", "-o", "run", "--steps", 2)
    assert "folded" not in done.stderr
    assert not (cli.folder / "run" / "inherited.json").exists()
