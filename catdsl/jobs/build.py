"""`build`: graph, summary, module source and initial weights in a folder."""

import json
from pathlib import Path

from catdsl.backend.initial import initialize
from catdsl.backend.module import build_module
from catdsl.backend.weights import save_weights
from catdsl.diagnostics.printable import printable_json, printable_lines
from catdsl.files import write_text
from catdsl.ir.serial import to_json
from catdsl.jobs.describe import info_text
from catdsl.jobs.module_source import module_source
from catdsl.project import Project


def build(project: Project, folder: Path, *, seed: int) -> tuple[Path, ...]:
    """Write what a network is before any training. Returns the files. Raises CatError E608."""
    graph = project.graph
    module = build_module(graph)
    initialize(module, graph, project.settings.style, seed)
    write_text(folder / "graph.json", printable_json(json.dumps(to_json(graph), indent=1, ensure_ascii=False)) + "\n")
    write_text(folder / "summary.txt", printable_lines(info_text(project)) + "\n")
    write_text(folder / "module.py", module_source(project, module.code))
    save_weights(module, folder / "weights.safetensors", {"seed": seed, "step": 0})
    return tuple(folder / n for n in ("graph.json", "summary.txt", "module.py", "weights.safetensors"))
