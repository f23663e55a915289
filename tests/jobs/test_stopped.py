"""Runs that are killed or interrupted end, when resumed, as if nothing had happened."""

import signal
import time

import pytest

pytestmark = pytest.mark.slow

STEPS = 30


def _weights(cli, run):
    return (cli.folder / run / "teacher" / "weights.safetensors").read_bytes()


def _metrics(cli, run):
    text = (cli.folder / run / "teacher" / "metrics.jsonl").read_text()
    return [line.split('"seconds"')[0] for line in text.splitlines()]


def _wait_for_steps(cli, run, steps):
    """Until the run has logged some steps."""
    path = cli.folder / run / "teacher" / "metrics.jsonl"
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if path.exists() and path.read_text().count("\n") >= steps:
            return
        time.sleep(0.005)
    raise AssertionError("the training does not get on")


@pytest.fixture
def whole(cli):
    cli("train", "tiny.cat", "-o", "whole", "--steps", STEPS)
    return cli


def test_killed_and_resumed_ends_in_the_same_weights(whole):
    process = whole.start("train", "tiny.cat", "-o", "killed", "--steps", STEPS)
    _wait_for_steps(whole, "killed", 8)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (whole.folder / "killed" / "teacher" / "weights.safetensors").exists()
    whole("train", "tiny.cat", "-o", "killed", "--steps", STEPS, "--resume")
    assert _weights(whole, "killed") == _weights(whole, "whole")
    assert _metrics(whole, "killed") == _metrics(whole, "whole")


def test_interrupted_saves_says_how_to_go_on_and_resumes(whole):
    process = whole.start("train", "tiny.cat", "-o", "stopped", "--steps", STEPS)
    _wait_for_steps(whole, "stopped", 5)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 1
    whole("train", "tiny.cat", "-o", "stopped", "--steps", STEPS, "--resume")
    assert _weights(whole, "stopped") == _weights(whole, "whole")


def test_resuming_with_other_settings_says_what_changed(whole):
    spec = whole.folder / "tiny.cat"
    spec.write_text(spec.read_text().replace("lr = 1e-3", "lr = 2e-3"), encoding="utf-8")
    done = whole("train", "tiny.cat", "-o", "whole", "--steps", STEPS, "--resume", code=1)
    assert "E604" in done.stderr
    assert "spec" in done.stderr
