"""`build`: graph, summary, module source and initial weights in a folder."""

import json
from pathlib import Path

from catdsl.backend.initial import initialize
from catdsl.backend.module import build_module
from catdsl.backend.weights import save_weights
from catdsl.diagnostics.printable import printable_json, printable_lines
from catdsl.files import write_text
from catdsl.ir.identity import owner_of
from catdsl.ir.serial import to_json
from catdsl.jobs.describe import info_text
from catdsl.jobs.module_source import module_source
from catdsl.jobs.replacing import Say, replacing
from catdsl.project import Project

FILES = ("graph.json", "summary.txt", "module.py", "weights.safetensors")
"""What `build` writes."""


def build(project: Project, folder: Path, *, seed: int, say: Say) -> tuple[Path, ...]:
    """Write what a network is before any training; other files of the folder stay. Returns the files.

    Raises CatError E608.
    """
    graph = project.graph
    module = build_module(graph)
    initialize(module, graph, project.settings.style, seed)
    with replacing(folder, own=lambda _: FILES, say=say, shared=True) as made:
        values = json.dumps(to_json(graph), indent=1, ensure_ascii=False)
        write_text(made / "graph.json", printable_json(values) + "\n")
        write_text(made / "summary.txt", printable_lines(info_text(project)) + "\n")
        write_text(made / "module.py", module_source(project, module.code))
        save_weights(module, made / "weights.safetensors", {"seed": seed, "step": 0}, owner_of(graph))
    return tuple(folder / name for name in FILES)
