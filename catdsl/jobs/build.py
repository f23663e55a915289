"""`build`: graph, summary, module source and initial weights in a folder."""

import json
from pathlib import Path

from catdsl.backend.initial import initialize
from catdsl.backend.module import build_module
from catdsl.backend.weights import save_weights
from catdsl.files import write_text
from catdsl.ir.identity import owner_of
from catdsl.ir.serial import to_json
from catdsl.jobs.describe import info_text
from catdsl.project import Project


def build(project: Project, folder: Path, *, seed: int) -> tuple[Path, ...]:
    """Write what a network is before any training. Returns the files. Raises CatError E608."""
    graph = project.graph
    module = build_module(graph)
    initialize(module, graph, project.settings.style, seed)
    write_text(folder / "graph.json", json.dumps(to_json(graph), indent=1, ensure_ascii=False) + "\n")
    write_text(folder / "summary.txt", info_text(project) + "\n")
    write_text(folder / "module.py", _source(project, module.code))
    save_weights(module, folder / "weights.safetensors", {"seed": seed, "step": 0}, owner_of(graph))
    return tuple(folder / n for n in ("graph.json", "summary.txt", "module.py", "weights.safetensors"))


def _source(project: Project, code: str) -> str:
    """The generated forward function, for reading; `catdsl.load(...)` makes the module itself."""
    name = project.graph.name
    head = (
        f"# The forward function that catdsl generated for `{name}` of {project.source.shown}.\n"
        "# `self` holds one module per path of the graph; weights.safetensors holds their weights.\n"
        "import torch\n"
    )
    return head + code.replace("catdsl_backend_functions_", "").replace("\n\n\n", "\n\n")
