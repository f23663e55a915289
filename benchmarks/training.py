"""What training costs: speed beside a plain eager step, and memory.

    .venv/bin/python -m benchmarks.training speed  specs/facades_quick.cat
    .venv/bin/python -m benchmarks.training memory specs/resnet_inception.cat --batch 1
    .venv/bin/python -m benchmarks.training growth specs/quickstart.cat --steps 500

`speed` runs our distillation step and a straightforward one of the same networks in turn, in one
process, and gives the ratio of their medians. `memory` is the peak resident memory of this process
after some distillation steps, `growth` how much it has grown from step 50 on. Images are noise: none of
this depends on what they show.
"""

import argparse
import copy
import json
import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from catdsl.backend.module import build_module, with_taps
from catdsl.jobs.inputs import input_side
from catdsl.project import Project, load
from catdsl.train.data.batches import Batch
from catdsl.train.data.formats import ImageFormat
from catdsl.train.data.sides import Side
from catdsl.train.discriminator import discriminator_for
from catdsl.train.processes import precision_of
from catdsl.train.recipe import Recipe, student_recipe
from catdsl.train.stepping import train_step
from catdsl.train.systems.distillation import Distillation
from catdsl.train.systems.judge import Judge

MEBI = 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Networks:
    """A student of the spec's budget, its teacher and a discriminator, all with initial weights."""

    student: nn.Module
    tapped_student: nn.Module
    tapped_teacher: nn.Module
    discriminator: nn.Module
    recipe: Recipe
    batch: Batch


def networks(spec: Path, *, batch: int | None, device: str, parameters: dict[str, str]) -> Networks:
    project = load(spec, parameters)
    recipe = student_recipe(project.settings.distill, project.settings.train)
    recipe = replace(recipe, batch=batch or recipe.batch, perceptual=0.0)
    teacher, graph = project.teacher(seed=0), project.student_at(searched(project))
    student = build_module(graph)
    shared = {tap.label: tap.node for tap in graph.taps}
    taps = [(tap.node, shared[tap.label]) for tap in project.teacher_graph.taps if tap.label in shared]
    source, made = project.teacher_graph.inputs[0], project.teacher_graph.node[project.teacher_graph.output]
    sizes = [(n.type.height, n.type.width) for n in (source, made)]
    channels = [project.teacher_graph.channels(n.name) for n in (source, made)]
    height, width = (Fraction(m, s) for s, m in zip(*sizes, strict=True))
    format = ImageFormat(
        size=sizes[0], scale=(height, width), source=input_side(project.teacher_graph), target=Side(channels[1])
    )
    judge = discriminator_for(recipe, project.settings, format, seed=0)
    torch.manual_seed(0)
    images = (torch.rand(recipe.batch, c, *size) * 2 - 1 for c, size in zip(channels, sizes, strict=True))
    return Networks(
        student=student.to(device),
        tapped_student=with_taps(student, graph, tuple(s for _, s in taps)).to(device),
        tapped_teacher=with_taps(teacher, project.teacher_graph, tuple(t for t, _ in taps)).to(device).eval(),
        discriminator=judge.to(device),
        recipe=recipe,
        batch=Batch(*images).to(device),
    )


def searched(project: Project) -> dict[str, int]:
    numbers = np.random.default_rng(0)
    graph = project.teacher_graph
    scores = {n.name: numbers.random(graph.channels(n.name)) for n in graph.nodes if n.norm is not None}
    return dict(project.plan(scores, project.budget(None, None)).kept)


def our_step(given: Networks, device: str) -> Callable[[], object]:
    system = Distillation(
        student=given.student,
        tapped_student=given.tapped_student,
        tapped_teacher=given.tapped_teacher,
        judge=Judge(given.discriminator, given.recipe),
        recipe=given.recipe,
    )
    precision = precision_of(given.recipe.precision, device)
    return lambda: train_step(system, (given.batch,), precision)


def plain_step(given: Networks) -> Callable[[], object]:
    """The same losses as one would write them down; lsgan stands for the recipe's adversarial loss."""
    recipe, x, y = given.recipe, given.batch.input_BCHW, given.batch.target_BCHW
    student = torch.optim.Adam(given.student.parameters(), lr=recipe.lr, betas=recipe.betas)
    judge = torch.optim.Adam(given.discriminator.parameters(), lr=recipe.lr, betas=recipe.betas)

    def logits(image: Tensor) -> Tensor:
        shown = torch.cat((x, image), 1) if recipe.conditional else image
        return torch.cat([judged.logits_B1HW.flatten() for judged in given.discriminator(shown)])

    def alignment(a_BCHW: Tensor, b_BCHW: Tensor) -> Tensor:
        a, b = (t.permute(0, 2, 3, 1).reshape(-1, t.shape[1]) for t in (a_BCHW, b_BCHW))
        return (b.T @ a).square().sum() / ((a.T @ a).norm() * (b.T @ b).norm())

    def step() -> None:
        made, taps = given.tapped_student(x)
        judge.zero_grad()
        ((logits(y) - 1).square().mean() / 2 + logits(made.detach()).square().mean() / 2).backward()
        judge.step()
        with torch.no_grad():
            image, teacher_taps = given.tapped_teacher(x)
        recon = (made - (image if recipe.recon_to == "teacher" else y)).abs().mean()
        loss = recipe.gan_weight * (logits(made) - 1).square().mean() + recipe.recon * recon
        for t, s in zip(teacher_taps, taps, strict=True):
            loss = loss - recipe.alignment * alignment(t, s)
        student.zero_grad()
        loss.backward()
        student.step()

    return step


def speed(args: argparse.Namespace) -> dict[str, object]:
    given = networks(args.spec, batch=args.batch, device=args.device, parameters=dict(args.set))
    steps = {"plain": plain_step(copy.deepcopy(given)), "ours": our_step(given, args.device)}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        for _ in range(3):
            step()
    for _ in range(args.steps):
        for name, step in steps.items():
            wait(args.device)
            began = time.perf_counter()
            step()
            wait(args.device)
            times[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "images/s": {name: round(given.recipe.batch / value, 2) for name, value in medians.items()},
        "ours / plain": round(medians["plain"] / medians["ours"], 3),
    }


def memory(args: argparse.Namespace) -> dict[str, object]:
    step = our_step(networks(args.spec, batch=args.batch, device=args.device, parameters=dict(args.set)), args.device)
    for _ in range(args.steps):
        step()
    return {"peak resident MiB": peak()}


def growth(args: argparse.Namespace) -> dict[str, object]:
    step = our_step(networks(args.spec, batch=args.batch, device=args.device, parameters=dict(args.set)), args.device)
    seen: list[float] = []
    for number in range(args.steps):
        step()
        if number % 50 == 49:
            seen.append(resident())
    return {"resident MiB after every 50 steps": [round(s, 1) for s in seen], "grown": round(seen[-1] - seen[0], 1)}


def resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MEBI


def peak() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def pair(text: str) -> Sequence[str]:
    return text.split("=", 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "memory", "growth"))
    parser.add_argument("spec", type=Path)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--set", type=pair, action="append", default=[], metavar="NAME=VALUE")
    args = parser.parse_args()
    measured = {"speed": speed, "memory": memory, "growth": growth}[args.what](args)
    setting = {"spec": args.spec.name, "steps": args.steps, "threads": torch.get_num_threads(), "device": args.device}
    print(json.dumps({**setting, **measured}, indent=1))


if __name__ == "__main__":
    main()
