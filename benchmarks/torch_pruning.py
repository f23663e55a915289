"""Torch-Pruning beside our search: the same teacher, the same scales, the same target of MACs.

    .venv/bin/python -m benchmarks.torch_pruning

The teacher is the inception ResNet at 256 x 256, its norm scales drawn from a seed; the target is 25 %
of its MACs (exact). Torch-Pruning takes a ratio of channels, so the target is searched for around it, in
two ways: its ratio is bisected, and its pruner takes small steps until the target is met, as its own
examples do. It traces on a 64 x 64 image and MACs are counted on the meta device, to its advantage.
The second table says what else was seen in this run.
"""

import copy
import io
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from importlib.metadata import version
from itertools import pairwise

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.search import ROOT, median
from catdsl.backend.instance_norms import with_instance_norms
from catdsl.backend.weights import arrays_of
from catdsl.project import Project, load
from catdsl.search.plan import find_plan

try:
    import torch_pruning as tp
except ImportError:
    raise SystemExit(
        "Torch-Pruning is not installed: pip install torch-pruning==1.6.1 --constraint constraints.txt"
    ) from None

TARGET = "25%"
INTERVAL = 1e-3
RATIOS = (*(i / 20 for i in range(1, 20)), 0.99)
HIGH = 0.9
STEPS = 100
CONV = (nn.Conv2d, nn.ConvTranspose2d)


class FirstScales(tp.importance.Importance):
    """|scale| of the first instance norm of a group, which is what our search ranks by."""

    def __init__(self, module: nn.Module):
        self.place = {layer: i for i, layer in enumerate(module.modules())}

    def __call__(self, group: tp.Group) -> torch.Tensor | None:
        norms = [
            (dep.layer, group[i].root_idxs, channels)
            for i, (dep, channels) in enumerate(group)
            if isinstance(dep.layer, nn.InstanceNorm2d)
        ]
        if not norms:
            return None
        norm, roots, channels = min(norms, key=lambda found: self.place[found[0]])
        scores = torch.zeros(len(roots))
        scores[roots] = norm.weight.detach().abs()[channels]
        return scores


Importance = Callable[[nn.Module], tp.importance.Importance]
IMPORTANCES: dict[str, Importance] = {
    "its MagnitudeImportance (L2 of weights)": lambda module: tp.importance.MagnitudeImportance(p=2),
    "an importance of ours (first norm scales)": FirstScales,
}
NORM_IMPORTANCES: dict[str, Importance] = {
    "BNScaleImportance()": lambda module: tp.importance.BNScaleImportance(),
    "MagnitudeImportance(target_types=[InstanceNorm2d])": lambda module: tp.importance.MagnitudeImportance(
        p=1, target_types=[nn.InstanceNorm2d]
    ),
}


def teacher_of(project: Project) -> nn.Module:
    """The initialised teacher, with drawn scales in its affine norms."""
    module = with_instance_norms(project.teacher())
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        for layer in module.modules():
            if isinstance(layer, nn.InstanceNorm2d) and layer.affine:
                layer.weight.log_normal_()
    return module


def pruner_of(
    module: nn.Module, example: torch.Tensor, importance: Importance, ratio: float, **options: float
) -> object:
    """Their pruner: one ranking for all layers, the last conv left alone."""
    last = [layer for layer in module.modules() if isinstance(layer, CONV)][-1]
    return tp.pruner.BasePruner(
        module, example, importance=importance(module), global_pruning=True, pruning_ratio=ratio, ignored_layers=[last],
        **options,
    )  # fmt: skip


def pruned(
    teacher: nn.Module, example: torch.Tensor, importance: Importance, ratio: float, **options: float
) -> nn.Module:
    """A copy of the teacher, pruned in one step."""
    module = copy.deepcopy(teacher)
    pruner_of(module, example, importance, ratio, **options).step()
    return module


def macs(module: nn.Module, shape: tuple[int, ...]) -> int:
    """MACs (exact) by torch's own counter."""
    away = copy.deepcopy(module).to("meta")
    with FlopCounterMode(display=False) as counter:
        away(torch.empty(shape, device="meta"))
    return counter.get_total_flops() // 2


def bisected(teacher: nn.Module, shape: tuple[int, ...], importance: Importance, most: int) -> tuple[int, int]:
    """MACs of the least ratio found that meets the target, and how many networks were pruned for it."""
    low, high, kept, evaluations = 0.0, 1.0, 0, 0
    while high - low >= INTERVAL:
        ratio = (low + high) / 2
        found = macs(pruned(teacher, torch.randn(1, 3, 64, 64), importance, ratio), shape)
        evaluations += 1
        low, high = (ratio, high) if found > most else (low, ratio)
        kept = found if found <= most else kept
    return kept, evaluations


def stepped(teacher: nn.Module, shape: tuple[int, ...], importance: Importance, most: int) -> tuple[int, int]:
    """MACs after the first of many small steps that meets the target, and how many steps that took."""
    module = copy.deepcopy(teacher)
    pruner = pruner_of(module, torch.randn(1, 3, 64, 64), importance, 1.0, iterative_steps=STEPS)
    for step in range(1, STEPS + 1):
        pruner.step()
        found = macs(module, shape)
        if found <= most:
            return found, step
    return found, STEPS


def searches(project: Project, teacher: nn.Module, shape: tuple[int, ...]) -> Iterator[str]:
    """Rows of the first table."""
    weights = arrays_of(teacher)
    model, scores, budget = project.cost_model, project.scores(weights), project.budget(TARGET, "exact")
    most = budget.limits[0].most
    plan = find_plan(model, scores, budget)
    seconds = median(lambda: find_plan(model, scores, budget), 51)
    yield f"| catdsl plan | {seconds:,.4f} | 0 | {plan.cost.exact:,} | {plan.slack:.4%} |"
    for title, importance in IMPORTANCES.items():
        for way, search in (("ratio bisected", bisected), (f"steps of 1/{STEPS}", stepped)):
            began = time.perf_counter()
            found, evaluations = search(teacher, shape, importance, most)
            seconds = time.perf_counter() - began
            slack = f"{1 - found / most:.4%}" if found <= most else "target missed"
            yield f"| Torch-Pruning, {way}, {title} | {seconds:,.1f} | {evaluations} | {found:,} | {slack} |"


def observations(project: Project, teacher: nn.Module, shape: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    """What is asked, and what was seen."""
    whole, example = project.cost.exact, torch.randn(1, 3, 64, 64)
    for title, importance in NORM_IMPORTANCES.items():
        left = macs(pruned(teacher, example, importance, 0.5), shape)
        yield f"scales of instance norms by {title}, ratio 0.5", f"{left / whole:.1%} of the MACs left"
    for title, importance in IMPORTANCES.items():
        students = {ratio: pruned(teacher, example, importance, ratio) for ratio in RATIOS}
        shares = {ratio: macs(student, shape) / whole for ratio, student in students.items()}
        yield f"ratios that keep more than a lower one, of {len(RATIOS)}: {title}", _rises(shares)
        least = min(channels for student in students.values() for channels in _channels(student).values())
        convs = {len(_channels(student)) for student in students.values()}
        yield (
            f"branches that vanish at any of these ratios: {title}",
            f"none: {len(_channels(teacher))} convs in the teacher, {_listed(convs)} in the students, "
            f"the narrowest with {least} channel(s)",
        )
        yield f"convs left whole at ratio {HIGH}: {title}", _whole(teacher, students[HIGH])
        capped = pruned(teacher, example, importance, HIGH, max_pruning_ratio=HIGH)
        yield f"the same with max_pruning_ratio={HIGH}", _whole(teacher, capped)
    student = pruned(teacher, example, FirstScales, 0.5)
    yield "the pruned module runs at the declared size", _tried(lambda: tuple(student(torch.randn(shape)).shape))
    yield from _reloads(project, student)
    for title, other in OTHERS.items():
        yield f"ratio 0.5 on {title}", _tried(lambda other=other: _on(other()))


def _rises(shares: dict[float, float]) -> str:
    pairs = [(a, b) for a, b in pairwise(RATIOS) if shares[b] > shares[a]]
    if not pairs:
        return "none"
    shown = "; ".join(f"{a:g} keeps {shares[a]:.1%}, {b:g} keeps {shares[b]:.1%} of the MACs" for a, b in pairs)
    return f"{len(pairs)}: {shown}"


def _channels(module: nn.Module) -> dict[str, int]:
    return {name: layer.out_channels for name, layer in module.named_modules() if isinstance(layer, CONV)}


def _whole(teacher: nn.Module, student: nn.Module) -> str:
    """Convs that lost no output channel, but for the last one, which the pruner was told to leave alone."""
    before, after = _channels(teacher), _channels(student)
    *inner, _ = before
    return f"{sum(after[name] == before[name] for name in inner)} of {len(inner)} convs keep all output channels"


def _listed(values: set[int]) -> str:
    return ", ".join(map(str, sorted(values)))


def _tried(call: Callable[[], object]) -> str:
    try:
        return f"yes: {call()}"
    except Exception as error:
        return f"no: {type(error).__name__}: {str(error).split('. ')[0].splitlines()[0]}"


def _reloads(project: Project, student: nn.Module) -> Iterator[tuple[str, str]]:
    """Ways to read a pruned network back."""

    def written(value: object, **options: bool) -> object:
        file = io.BytesIO()
        torch.save(value, file)
        file.seek(0)
        return torch.load(file, **options)

    def into_teacher() -> str:
        tp.load_state_dict(with_instance_norms(project.teacher()), written(tp.state_dict(student), weights_only=False))
        return "into an instance of the teacher's class"

    state = student.state_dict()
    yield (
        "its state_dict loads into the teacher",
        _tried(lambda: with_instance_norms(project.teacher()).load_state_dict(state)),
    )
    yield (
        "torch.save of the module loads with weights_only=True",
        _tried(lambda: type(written(student, weights_only=True)).__name__),
    )
    yield (
        "torch.save of the module loads as a pickle",
        _tried(lambda: type(written(student, weights_only=False)).__name__),
    )
    yield (
        "tp.state_dict loads with weights_only=True",
        _tried(lambda: type(written(tp.state_dict(student), weights_only=True)).__name__),
    )
    yield "tp.state_dict loads as a pickle", _tried(into_teacher)


OTHERS: dict[str, Callable[[], Project]] = {
    "a U-Net (concat)": lambda: load(ROOT / "specs" / "unet_inception.cat"),
    "a SPADE generator (split, depthwise), ngf 16 at 128 x 256": lambda: load(
        ROOT / "specs" / "spade_inception.cat", {"ngf": 16, "height": 128, "width": 256}
    ),
}


def _on(project: Project) -> str:
    """Prune another network by half, and run it."""
    graph = project.graph
    (image,) = graph.inputs
    shape = (1, graph.channels(image.name), image.type.height, image.type.width)
    module = with_instance_norms(project.teacher()).eval()
    whole = macs(module, shape)
    pruner_of(module, torch.randn(shape), IMPORTANCES["its MagnitudeImportance (L2 of weights)"], 0.5).step()
    with torch.no_grad():
        made = tuple(module(torch.randn(shape)).shape)
    return f"{macs(module, shape) / whole:.1%} of the MACs left, runs to {made}"


def main() -> None:
    torch.set_num_threads(2)
    torch.manual_seed(0)
    project = load(ROOT / "specs" / "resnet_inception.cat")
    teacher = teacher_of(project)
    shape = (1, 3, 256, 256)
    print(f"Torch-Pruning {version('torch-pruning')}, torch {torch.__version__} on 2 threads")
    print(f"Inception ResNet at 256 x 256, {project.cost.exact:,} MACs (exact), target {TARGET}\n")
    print("| search | s | networks made | MACs (exact) | slack |\n|---|---:|---:|---:|---:|")
    with redirect_stderr(io.StringIO()):
        for row in searches(project, teacher, shape):
            print(row, flush=True)
        print("\n| Torch-Pruning | seen in this run |\n|---|---|")
        for asked, seen in observations(project, teacher, shape):
            print(f"| {asked} | {seen} |", flush=True)


if __name__ == "__main__":
    main()
