"""`train` and `distill`: one network trained in its part of a run folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.fx import GraphModule

from catdsl.acceptance import Acceptance, Owner
from catdsl.backend.initial import initialize
from catdsl.backend.module import build_module, with_taps
from catdsl.backend.weights import (
    arrays_of,
    load_weights,
    module_with_weights,
    read_weights,
    save_tensors,
    save_weights,
)
from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.ir.identity import owner_of
from catdsl.jobs.inheriting import folding_json, folding_line
from catdsl.jobs.run_folder import (
    DISCRIMINATOR,
    WEIGHTS,
    WEIGHTS_BACK,
    RunFolder,
    existing_run,
    runs_back,
    teacher_weights_path,
)
from catdsl.jobs.run_networks import trained_module
from catdsl.jobs.run_records import write_record
from catdsl.jobs.setting import JobOptions, Setting, check_scores
from catdsl.project import Project
from catdsl.reading import there
from catdsl.search.folding import fold_constants
from catdsl.search.slicing import kept_channels, slice_weights
from catdsl.train.collective import first, from_first, wait_for_all
from catdsl.train.data.batches import training_batches
from catdsl.train.engine import CHECKPOINT, Outcome
from catdsl.train.jobs import RunOptions, Tapped, distill_student, train_teacher, trained_weights
from catdsl.train.recipe import teacher_recipe
from catdsl.train.seeding import derived_seed
from catdsl.train.taylor import taylor_scores


@dataclass(frozen=True, slots=True)
class Teacher:
    """A trained teacher, and the weights of its discriminator where they are known."""

    module: GraphModule
    discriminator: Mapping[str, Tensor] | None


class Stopped(Exception):
    """A training was stopped by a signal, after it had saved a checkpoint. The message says where."""

    def __init__(self, what: str, outcome: Outcome):
        super().__init__(f"the {what}'s training was stopped at step {outcome.step} of {outcome.total_steps}")


def trained_teacher(project: Project, run: RunFolder, setting: Setting) -> Teacher:
    """The run's teacher, trained as far as it is not yet. Raises Stopped."""
    graph, options = project.teacher_graph, setting.options
    finished = run.teacher / WEIGHTS
    # With changed settings there may be more to train.
    done = there(finished) and not options.accept_changes
    wait_for_all()
    if done:
        return Teacher(trained_module(graph, run, run.teacher), _discriminator(run, run.teacher))
    module = build_module(graph)
    initialize(module, graph, project.settings.style, options.seed)
    back = _back(project, options)
    outcome = train_teacher(
        module, setting.data, project.settings, _run_options(run, run.teacher, graph, options), back=back
    )
    if not outcome.finished:
        raise Stopped("teacher", outcome)
    facts = {"step": outcome.step, "seed": options.seed}
    if first() and back is not None:
        save_weights(back.cpu(), run.teacher / WEIGHTS_BACK, facts, owner_of(graph, run.id))
    if first():
        save_weights(module.cpu(), finished, facts, owner_of(graph, run.id))
    wait_for_all()
    # As it will be used: the module that was trained may be compiled, or laid out otherwise.
    return Teacher(trained_module(graph, run, run.teacher), _discriminator(run, run.teacher))


def given_teacher(project: Project, given: Path, acceptance: Acceptance) -> Teacher:
    """The teacher of `--teacher RUN|FILE`. Raises CatError E603, E604, E605."""
    path, of_run = teacher_weights_path(given, project, acceptance)
    module = module_with_weights(project.teacher_graph, path, acceptance, run=of_run)
    if not given.is_dir():
        return Teacher(module, None)
    judge = "discriminator_back" if runs_back(given, project, acceptance) else "discriminator"
    run = existing_run(given, acceptance)
    return Teacher(module, _discriminator(run, run.teacher, judge))


def keep_teacher(project: Project, taught: Teacher, run: RunFolder) -> None:
    """Copy a teacher that was given, and its discriminator, so that the run is whole by itself."""
    if there(run.teacher / WEIGHTS):
        return
    if taught.discriminator is not None:
        save_tensors(taught.discriminator, run.teacher / DISCRIMINATOR, {}, Owner(run=run.id))
    save_weights(taught.module, run.teacher / WEIGHTS, {}, owner_of(project.teacher_graph, run.id))


def scores_of(project: Project, module: GraphModule, setting: Setting) -> Mapping[str, np.ndarray]:
    """What `search { score }` asks for, from a teacher; `taylor` from the training images, too."""
    search, options = project.settings.search, setting.options
    if search.score != "taylor":
        weights = arrays_of(module)
        return project.scores(weights, seed=options.seed)
    recipe = teacher_recipe(project.settings.train)
    check_scores(project)
    batches = training_batches(setting.data, batch=recipe.batch, seed=options.seed)
    scores = taylor_scores(module, project.teacher_graph, batches, count=search.batches, device=options.device)
    # Gradients on a GPU may differ from process to process, and students must not.
    return from_first(scores)


def distilled_student(
    project: Project, counts: Mapping[str, int], channels: Mapping[str, tuple[int, ...]],
    teacher: Teacher, run: RunFolder, setting: Setting, say: Callable[[str], None],
) -> GraphModule:  # fmt: skip
    """The run's student, distilled as far as it is not yet. Raises Stopped."""
    graph, options = project.student_at(counts), setting.options
    finished = run.student / WEIGHTS
    done = there(finished) and not options.accept_changes
    wait_for_all()
    if done:
        return trained_module(graph, run, run.student)
    weights = arrays_of(teacher.module)
    kept = kept_channels(project.teacher_graph, counts, channels, weights)
    module = student_module(project, graph, counts, kept, weights, run, seed=options.seed, say=say)
    taps = _shared_taps(project.teacher_graph, graph)
    tapped = Tapped(
        student=with_taps(module, graph, tuple(s for _, s in taps)),
        teacher=with_taps(teacher.module, project.teacher_graph, tuple(t for t, _ in taps)),
        channels=[(project.teacher_graph.channels(t), graph.channels(s)) for t, s in taps],
    )
    outcome = distill_student(
        module, setting.data, project.settings, _run_options(run, run.student, graph, options),
        tapped=tapped, discriminator=teacher.discriminator,
    )  # fmt: skip
    if not outcome.finished:
        raise Stopped("student", outcome)
    facts = {
        "step": outcome.step,
        "seed": options.seed,
        "channels": {name: indices.tolist() for name, indices in kept.items()},
    }
    if first():
        save_weights(module.cpu(), finished, facts, owner_of(graph, run.id))
    wait_for_all()
    return trained_module(graph, run, run.student)


def student_module(
    project: Project, graph: Graph, counts: Mapping[str, int], kept: Mapping[str, np.ndarray],
    weights: Mapping[str, np.ndarray], run: RunFolder, *, seed: int, say: Callable[[str], None],
) -> GraphModule:  # fmt: skip
    """The student before its training: slices of the teacher's weights, or fresh ones, by setting."""
    module = build_module(graph)
    if project.settings.distill.init == "fresh":
        initialize(module, graph, project.settings.style, seed)
        return module
    folded = fold_constants(project.teacher_graph, counts, kept, weights)
    # A training that was begun goes on from its checkpoint: what its student started with is told already.
    if first() and not there(run.student / CHECKPOINT):
        write_record(run.inherited, folding_json(folded), run=run.id)
        say(f"folded   {folding_line(folded)}")
    sliced = slice_weights(project.teacher_graph, graph, counts, kept, folded.weights)
    load_weights(module, {n: torch.from_numpy(v) for n, v in sliced.items()}, graph, source="the teacher")
    return module


def _run_options(run: RunFolder, folder: Path, graph: Graph, options: JobOptions) -> RunOptions:
    # A part that was begun before is continued: whether that is allowed was asked of the whole run.
    begun = there(folder / CHECKPOINT)
    return RunOptions(
        folder=folder,
        seed=options.seed,
        steps=options.steps,
        resume=begun,
        device=options.device,
        vgg=options.vgg,
        accept_changes=options.accept_changes,
        tensorboard=options.tensorboard,
        owner=owner_of(graph, run.id),
        say=run.acceptance.say,
    )


def _discriminator(run: RunFolder, folder: Path, name: str = "discriminator") -> Mapping[str, Tensor] | None:
    owner = Owner(run=run.id)
    if there(folder / CHECKPOINT):
        return trained_weights(folder, name, owner, run.acceptance)
    kept = folder / DISCRIMINATOR
    return read_weights(kept, owner, run.acceptance)[0] if there(kept) and name == "discriminator" else None


def _back(project: Project, options: JobOptions) -> GraphModule | None:
    """CycleGAN's other generator, of the same program."""
    if project.settings.train.system != "cyclegan":
        return None
    module = build_module(project.teacher_graph)
    initialize(module, project.teacher_graph, project.settings.style, derived_seed(options.seed, "back"))
    return module


def _shared_taps(teacher: Graph, student: Graph) -> tuple[tuple[str, str], ...]:
    """Nodes to compare, teacher's and student's. Raises CatError E504 for a tap that is absent."""
    by_label = {tap.label: tap.node for tap in student.taps}
    for tap in teacher.taps:
        if tap.label not in by_label:
            raise CatError.one(
                "E504",
                f"the tap `{tap.label}` is absent in the student: all its channels are gone",
                teacher.node[tap.node].span,
                help="leave it out of taps, or give its width a low bound above 0; --teacher RUN keeps this teacher",
            )
    return tuple((tap.node, by_label[tap.label]) for tap in teacher.taps)
