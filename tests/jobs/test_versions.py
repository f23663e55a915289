"""Runs of the version before, whose files say neither whose they are nor have digests, are continued and used."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from catdsl.jobs.setting import open_data
from catdsl.project import load

BEFORE = Path(__file__).parent / "before" / "half"


@pytest.fixture
def half(cli) -> Path:
    """A copy that was trained on the scenes as this machine packs them: their sizes in bytes count."""
    folder = cli.folder / "half"
    shutil.copytree(BEFORE, folder)
    shutil.copy(folder / "spec" / "tiny.cat", cli.folder / "tiny.cat")
    data, _ = open_data(load(cli.folder / "tiny.cat"), None)
    record = json.loads((folder / "run.json").read_text())
    record["asked"]["data"] = data.fingerprint
    (folder / "run.json").write_text(json.dumps(record))
    for part in ("teacher", "student"):
        path = folder / part / "checkpoint.pt"
        content = torch.load(path, weights_only=True)
        content["settings"] = json.dumps({**json.loads(content["settings"]), "data.files": data.fingerprint})
        torch.save(content, path)
    return folder


def test_a_run_of_the_version_before_is_continued_and_used(cli, half):
    done = cli("compress", "tiny.cat", "--budget", "40%", "-o", "half", "--steps", 8, "--resume")
    assert "names no network and no digest" in done.stderr
    assert len((half / "student" / "metrics.jsonl").read_text().splitlines()) == 8
    told = cli("export", "half", "-o", "x.py").stderr
    # The student was written by this version, with all that belongs to it.
    assert told.count("note:") == 1
    assert "run.json names no run id and no digest" in told
    assert "no digest; only names" in cli("export", "half", "-o", "y.py", "--use-teacher").stderr
    assert "conv0" in cli("explain-plan", "half").stdout


def test_its_spec_is_compared_all_the_same(cli, half):
    spec = half / "spec" / "tiny.cat"
    spec.write_text(spec.read_text().replace("tanh", "sigmoid"))
    told = cli("export", "half", "-o", "y.py", "--use-teacher", code=1).stderr
    assert "error[E604]: the spec in half/spec is not the one that the run was made with" in told
