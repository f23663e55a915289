"""What answers a run's held-out inputs: its networks and what costs nothing, as image files and as values.

Below the folder of pictures: `input`, `target`, and a folder for each answer, with an image of each
held-out input under one name in all of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor
from torch.fx import GraphModule

from catdsl.diagnostics import CatError
from catdsl.evaluate.quality import PairedValues, compare_pairs, joined
from catdsl.evaluate.trivial import Answer, class_colours, mean_image, unchanged
from catdsl.jobs.run_folder import WEIGHTS, RunFolder
from catdsl.jobs.run_networks import trained_module
from catdsl.project import Project
from catdsl.reading import there
from catdsl.train.data.batches import plain_batches
from catdsl.train.data.image_sets import ImageSet
from catdsl.train.data.images import write_image, write_png
from catdsl.train.data.opening import ImageData
from catdsl.train.grid import label_colours
from catdsl.train.modes import evaluating
from catdsl.view.report.content import INPUT, STUDENT, TARGET, TEACHER

UNCHANGED = "input unchanged"
TRAINING = "training"
"""The folder of the targets that a network was trained on, beside those of the answers."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A trained network of a run, with the project whose graph it has."""

    module: GraphModule
    project: Project


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Answers:
    """Image files of every answer below `folder`, and what each is worth where there are targets."""

    folder: Path
    names: tuple[str, ...]
    """Of the held-out inputs, as their files are called; image i is `file(..., i)`."""
    given: tuple[str, ...]
    """Names of the answers, networks first."""
    values: Mapping[str, PairedValues]
    to_teacher: Mapping[str, PairedValues]
    """What each other answer is worth where the teacher's image is taken for the target."""

    def of(self, answer: str) -> Path:
        return self.folder / answer.replace(" ", "_")

    def file(self, answer: str, index: int) -> Path:
        return self.of(answer) / picture_name(index)


def picture_name(index: int) -> str:
    return f"{index:05d}.png"


def networks_of(run: RunFolder) -> dict[str, Network]:
    """The teacher and the student of a run, as far as they are trained. Raises CatError E603, E605."""
    found: dict[str, Network] = {}
    if there(run.teacher / WEIGHTS):
        project = run.project()
        found[TEACHER] = Network(trained_module(project.teacher_graph, run, run.teacher), project)
    if there(run.student / WEIGHTS):
        student = run.student_project()
        found[STUDENT] = Network(trained_module(student.graph, run, run.student), student)
    if not found:
        raise CatError.one(
            "E603", f"the run {run.path} has no trained network yet", help="finish it with --resume, then evaluate it"
        )
    return found


def answer_all(
    networks: Mapping[str, Network], data: ImageData, folder: Path, *, batch: int, device: str, ssim: bool = True
) -> Answers:
    """Let all answer every held-out input, and write inputs, answers and targets below `folder`.

    Raises CatError E608.
    """
    paired, held_out = data.kind != "unpaired", data.validation
    calls: dict[str, Answer] = {name: _network(network, device) for name, network in networks.items()}
    calls |= _trivial(data)
    worth: dict[str, list[PairedValues]] = {name: [] for name in calls}
    near: dict[str, list[PairedValues]] = {
        name: [] for name in (STUDENT, UNCHANGED) if not paired and TEACHER in calls and name in calls
    }
    answers = Answers(folder=folder, names=held_out.names, given=tuple(calls), values={}, to_teacher={})
    for start, inputs_BCHW, targets_BCHW in _batches(held_out, batch):
        _write(answers.of(INPUT), start, inputs_BCHW, labels=data.source.labels is not None)
        _write(answers.of(TARGET), start, targets_BCHW)
        if not len(inputs_BCHW):
            continue
        made = {name: call(inputs_BCHW.to(device)).float().cpu() for name, call in calls.items()}
        for name, images_BCHW in made.items():
            _write(answers.of(name), start, images_BCHW)
            if paired:
                worth[name].append(compare_pairs([(images_BCHW, targets_BCHW)], ssim=ssim))
            if name in near:
                near[name].append(compare_pairs([(images_BCHW, made[TEACHER])]))
    return Answers(
        folder=folder, names=answers.names, given=answers.given,
        values={name: joined(parts) for name, parts in worth.items()} if paired else {},
        to_teacher={name: joined(parts) for name, parts in near.items()},
    )  # fmt: skip


def write_training_targets(data: ImageData, folder: Path, *, batch: int) -> Path:
    """The targets that a network was trained on, at the size of held-out ones. Raises CatError E608."""
    for start, _, targets_BCHW in _batches(data.train, batch):
        _write(folder / TRAINING, start, targets_BCHW)
    return folder / TRAINING


def _batches(images: ImageSet, batch: int) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Each input and each target once: of two sides that are apart, the shorter ends before the other."""
    inputs, targets = images.counts
    for number, read in enumerate(plain_batches(images, batch=batch, both_sides=True)):
        start = number * batch
        yield start, read.input_BCHW[: max(inputs - start, 0)], read.target_BCHW[: max(targets - start, 0)]


def _network(network: Network, device: str) -> Answer:
    module = network.module.to(device)

    def answer(input_BCHW: Tensor) -> Tensor:
        with evaluating(module):
            image: Tensor = module(input_BCHW)
        return image

    return answer


def _trivial(data: ImageData) -> dict[str, Answer]:
    """What costs nothing, as far as it is an answer to such inputs."""
    format = data.validation.format
    found: dict[str, Answer] = {}
    if data.kind != "unpaired":
        found["mean image"] = mean_image(data)
    if format.source.labels is not None and format.size == format.target_size:
        found["mean colours of classes"] = class_colours(data)
    if format.source.labels is None:
        found[UNCHANGED] = unchanged(format)
    return found


def _write(folder: Path, start: int, images_BCHW: Tensor, *, labels: bool = False) -> None:
    """`labels` are one-hot maps, of however many channels."""
    for index, image_CHW in enumerate(images_BCHW, start):
        path = folder / picture_name(index)
        if labels:
            write_png(path, label_colours(image_CHW))
        else:
            write_image(path, image_CHW)
