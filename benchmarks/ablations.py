"""What each part of the method is worth: one teacher, students at two budgets, and students that lack one part.

    python -m benchmarks.ablations specs/facades_quick.cat --data DIR --squeezenet FILE -o runs/ablations

Trains the spec's teacher once, compresses it by every variant, evaluates each run, and sets them side by
side in OUT/comparison. What is trained already is not trained again.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from catdsl.files import write_text
from catdsl.jobs.compress import compress
from catdsl.jobs.evaluate import EvaluateOptions, evaluate
from catdsl.jobs.setting import JobOptions
from catdsl.jobs.side_by_side import compare_runs, write_comparison
from catdsl.jobs.train import train
from catdsl.project import load
from catdsl.view.report.comparison_terminal import ComparisonTables


@dataclass(frozen=True, slots=True)
class Variant:
    """A budget, and what is written otherwise in the spec."""

    budget: str
    changed: Mapping[str, str] = field(default_factory=dict)


VARIANTS: Mapping[str, Variant] = {
    "quarter": Variant("25%"),
    "tenth": Variant("10%"),
    "no_distillation": Variant("25%", {"similarity = gka": "similarity = none"}),
    "random_channels": Variant("25%", {"score = norm_scale": "score = random"}),
    "fresh_weights": Variant("25%", {"similarity = gka": "similarity = gka, init = fresh"}),
}


def variant_spec(spec: Path, folder: Path, name: str, changed: Mapping[str, str]) -> Path:
    """The spec as a variant has it, as a file of its own."""
    text = spec.read_text(encoding="utf-8")
    for old, new in changed.items():
        assert text.count(old) == 1, f"{spec} holds `{old}` {text.count(old)} times"
        text = text.replace(old, new)
    path = folder / f"{name}.cat"
    write_text(path, text)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--squeezenet", type=Path)
    parser.add_argument("--inception", type=Path)
    parser.add_argument("--steps", type=int, help="of each training; the spec's epochs by default")
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("-o", "--out", type=Path, default=Path("runs/ablations"))
    args = parser.parse_args()
    options = JobOptions(args.data, steps=args.steps, resume=True)
    teacher = args.out / "teacher"
    train(load(args.spec), teacher, options, say=print)
    runs = [args.out / name for name in args.variants]
    for name, run in zip(args.variants, runs, strict=True):
        variant = VARIANTS[name]
        project = load(variant_spec(args.spec, args.out / "specs", name, variant.changed))
        compress(project, run, options, budget=variant.budget, count=None, teacher=teacher, say=print)
        judged = EvaluateOptions(data=args.data, squeezenet=args.squeezenet, inception=args.inception)
        evaluate(run, judged, say=print)
    found = compare_runs(runs, say=print)
    Console(width=120).print(ComparisonTables(found))
    write_comparison(found, runs, args.out / "comparison")


if __name__ == "__main__":
    main()
