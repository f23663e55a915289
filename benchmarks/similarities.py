"""What a student learns by each similarity: the same teacher, widths, steps and seeds.

    python -m benchmarks.similarities specs/facades_quick.cat --data DIR -o runs/similarities

Trains the spec's teacher once, plans its budget, and distils a student for every similarity and seed.
L1 and PSNR are those of the held-out images, against the targets.
"""

import argparse
import json
import re
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from catdsl.files import write_text
from catdsl.jobs.distill import distill
from catdsl.jobs.planning import save_student, scores_for
from catdsl.jobs.run_folder import RunFolder
from catdsl.jobs.setting import JobOptions
from catdsl.jobs.train import train
from catdsl.project import Project, load

SIMILARITIES = ("none", "mse", "gka", "gcka", "ka")


def variant(spec: Path, folder: Path, similarity: str, *, fresh: bool) -> Path:
    """The spec with another similarity, as a file of its own."""
    text = spec.read_text(encoding="utf-8")
    text, found = re.subn(r"similarity = \w+", f"similarity = {similarity}" + (", init = fresh" if fresh else ""), text)
    assert found == 1, f"{spec} says {found} times what similarity it has"
    path = folder / f"{spec.stem}_{similarity}.cat"
    write_text(path, text)
    return path


def plan(project: Project, teacher: Path, path: Path) -> None:
    found = project.plan(scores_for(project, None, teacher), project.budget(None, None))
    save_student(project, found, path, Path(project.source.shown))


def spread(values: list[float]) -> str:
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.4f} ± {deviation:.4f}"


def measured(args: argparse.Namespace, say: Callable[[str], None]) -> list[dict[str, Any]]:
    folder = args.out
    specs = {s: variant(args.spec, folder / "specs", s, fresh=args.fresh) for s in args.similarities}
    teacher = folder / "teacher"
    options = JobOptions(args.data, resume=True)
    train(load(args.spec), teacher, options, say=say)
    rows = []
    for similarity, spec in specs.items():
        project = load(spec)
        student = folder / "specs" / f"student_{similarity}.cat"
        plan(project, teacher, student)
        for seed in range(args.seeds):
            run = folder / f"{similarity}_{seed}"
            options = JobOptions(args.data, seed=seed, steps=args.steps, resume=True)
            result = distill(project, load(student), teacher, run, options, say=lambda _: None).result
            quality = result["student"]["quality"]
            rows.append({"similarity": similarity, "seed": seed, **quality, "teacher": result["teacher"]["quality"]})
            last = json.loads((RunFolder(run).student / "metrics.jsonl").read_text().splitlines()[-1])
            say(f"{similarity} {seed}: L1 {quality['l1']:.4f}  steps {last['step']}")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="of each student; the spec's epochs by default")
    parser.add_argument("--similarities", nargs="+", default=SIMILARITIES, choices=SIMILARITIES)
    parser.add_argument("--fresh", action="store_true", help="students start from fresh weights")
    parser.add_argument("-o", "--out", type=Path, default=Path("runs/similarities"))
    args = parser.parse_args()
    rows = measured(args, print)
    write_text(args.out / "similarities.json", json.dumps(rows, indent=1) + "\n")
    print("| similarity | L1 | PSNR |\n|---|---|---|")
    for similarity in args.similarities:
        mine = [row for row in rows if row["similarity"] == similarity]
        print(f"| {similarity} | {spread([r['l1'] for r in mine])} | {spread([r['psnr'] for r in mine])} |")


if __name__ == "__main__":
    main()
