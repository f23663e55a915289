"""The cases see what they are for: with a check taken out, or a door by-passed, they fail."""

from collections.abc import Callable
from pathlib import Path

import pytest

from catdsl import reading, weights_file
from catdsl.jobs import planning, run_folder, run_lock
from catdsl.search import scores
from catdsl.train import checkpoint
from tests.hostile import test_links, test_records, test_tables, test_weights

pytestmark = pytest.mark.slow

Plant = Callable[[pytest.MonkeyPatch], None]


def _nothing(*_, **__) -> None:
    return None


def _follow_links(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(run_folder, "check_links", _nothing)
    patch.setattr(run_lock, "check_links", _nothing)
    patch.setattr(run_folder.RunFolder, "confined", lambda self, inside: self.path / inside)


def _loaded(path, *_, **__):
    return scores.load_file(path) if path.suffix == ".safetensors" else dict(scores.np.load(path, allow_pickle=True))


PLANTED: dict[str, tuple[Plant, Callable[..., None], tuple]] = {
    "tensors are not compared with their digest": (
        lambda patch: patch.setattr(weights_file, "_compare", _nothing),
        test_weights.test_a_file_that_is_none, ("bits flipped",),
    ),
    "networks and runs are not compared": (
        lambda patch: patch.setattr(weights_file, "compare_owners", _nothing),
        test_weights.test_another_program_of_equal_shapes, ("export",),
    ),
    "a run's weights are read as anybody's": (
        lambda patch: patch.setattr(run_folder.RunFolder, "id", None),
        test_weights.test_a_file_of_another_run, ("evaluate", "teacher"),
    ),
    "one command reads weights by itself": (
        lambda patch: patch.setattr(planning, "load_scores", _loaded),
        test_weights.test_a_file_that_is_none, ("bits flipped",),
    ),
    "values that are not finite pass": (
        lambda patch: patch.setattr("catdsl.backend.weights.not_finite", lambda tensors: []),
        test_weights.test_values_that_are_not_finite, ("evaluate",),
    ),
    "a checkpoint's content is not compared": (
        lambda patch: patch.setattr(checkpoint, "_compare", _nothing),
        test_weights.test_a_checkpoint_of_another_run, ("distill", "sibling"),
    ),
    "what a checkpoint lacks begins afresh": (
        lambda patch: patch.setattr(checkpoint.Trained, "_check_whole", _nothing),
        test_weights.test_a_checkpoint_without_a_network, ("discriminator",),
    ),
    "records of a run are not read when it is opened": (
        lambda patch: patch.setattr(run_folder.RunFolder, "check", _nothing),
        test_records.test_a_record_that_is_none, ("result.json", "null"),
    ),
    "links lead anywhere": (
        _follow_links,
        test_records.test_a_copy_of_the_spec_that_is_a_link_to_elsewhere, (),
    ),
    "links of a run are not asked for before it is written into": (
        _follow_links,
        test_links.test_a_link_that_leads_out_of_a_run, ("evaluate", "report"),
    ),
    "the copy of a spec is taken as it is": (
        lambda patch: patch.setattr(run_folder.RunFolder, "_same_spec", lambda self, project, held: project),
        test_records.test_an_edited_spec, ("evaluate",),
    ),
    "devices and pipes are opened": (
        lambda patch: patch.setattr(reading, "check_kind", _nothing),
        test_tables.test_files_that_are_no_table, ("a folder",),
    ),
    "nothing is too large": (
        lambda patch: patch.setenv("CATDSL_LIMITS", "arrays=99999999999"),
        test_tables.test_scores, ("plan", "a bomb"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_fault_is_seen(cli, place: Path, monkeypatch: pytest.MonkeyPatch, planted: str) -> None:
    plant, case, given = PLANTED[planted]
    plant(monkeypatch)
    with pytest.raises((AssertionError, IsADirectoryError, MemoryError)):
        case(cli, place, *given)
