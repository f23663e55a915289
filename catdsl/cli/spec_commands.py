"""Commands for specs: each reads its arguments, calls one function, and prints."""

import json
from pathlib import Path
from typing import Annotated

import typer

from catdsl.acceptance import Acceptance
from catdsl.cli.app import app, say, show_paths
from catdsl.cli.flags import (
    AcceptChanges,
    CheckFormat,
    Format,
    FormatOption,
    Limit,
    Out,
    Overwrite,
    Scores,
    Seed,
    Set,
    Spec,
    Specs,
    Teacher,
)
from catdsl.cli.guard import open_spec, overrides, show
from catdsl.cli.printing import put, put_json
from catdsl.diagnostics import CatError, Diagnostic, Severity
from catdsl.diagnostics.printable import printable
from catdsl.diagnostics.render import render_github, render_json
from catdsl.diagnostics.shell import shell_word
from catdsl.ir.serial import to_json
from catdsl.project import load


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="of the generator and the file NAME.cat")],
    format: FormatOption = Format.text,
) -> None:
    """Write a small spec to begin with.

    Example: catdsl new sketch
    """
    from catdsl.jobs.starter import new_spec

    path = new_spec(name)
    show_paths([path], format)
    shown = shell_word(str(path))
    say(f"try it: catdsl check {shown}; catdsl compress {shown} --budget 25%")


@app.command()
def check(
    specs: Specs,
    format: Annotated[CheckFormat, typer.Option("--format", help="how mistakes are printed")] = CheckFormat.text,
    set_: Set = None,
    limit: Limit = None,
) -> None:
    """Check specs whole: names, shapes, widths, settings.

    Example: catdsl check specs/*.cat
    """
    found: list[Diagnostic] = []
    sources: dict[str, str] = {}
    for path in specs:
        try:
            project = load(path, overrides(set_))
            _ = project.graph, project.cost
            found += project.warnings
            sources |= project.sources
        except CatError as error:
            found += error.diagnostics
            sources |= error.sources
    failed = any(d.severity is Severity.ERROR for d in found)
    match format:
        case CheckFormat.json:
            put_json(render_json(found))
        case CheckFormat.github:
            put(render_github(found), end="\n" if found else "")
        case CheckFormat.text:
            show(found, sources)
            if not failed:
                put(f"{len(specs)} file{'s' * (len(specs) > 1)} checked, no mistakes")
    raise typer.Exit(1 if failed else 0)


@app.command()
def fmt(
    specs: Specs,
    check: Annotated[bool, typer.Option("--check", help="write nothing; exit with 1 if a file would change")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="write nothing; print what would change")] = False,
    format: FormatOption = Format.text,
    limit: Limit = None,
) -> None:
    """Put specs into the canonical layout, in place.

    Example: catdsl fmt specs/*.cat
    """
    from catdsl.jobs.formatting import format_files

    done, error = format_files(specs)
    changed = [file for file in done if file.changes]
    if not check and not diff:
        for file in changed:
            file.write()
    if format is Format.json:
        put_json(json.dumps([{"file": str(file.path), "changes": file.changes} for file in done], indent=1))
    else:
        for file in changed:
            what = "would format" if check else "formatted"
            put(file.difference() if diff else f"{what} {printable(str(file.path))}\n", end="")
    if error is not None:
        raise error
    if not changed:
        say(f"{len(done)} file{'s' * (len(done) > 1)}, nothing to format")
    raise typer.Exit(1 if check and changed else 0)


@app.command()
def info(spec: Spec, format: FormatOption = Format.text, set_: Set = None, limit: Limit = None) -> None:
    """Cost, floor, space and widths of a spec.

    Example: catdsl info specs/resnet_inception.cat --set ngf=32
    """
    from catdsl.jobs import describe

    project = open_spec(spec, set_)
    if format is Format.json:
        put_json(json.dumps(describe.info(project), indent=2))
    else:
        put(describe.info_text(project))


_OUT = ".svg, .html; .mmd (Mermaid), .dot (Graphviz), .json (Model Explorer); the terminal by default"
_DIFF = "show what SPEC has changed against this network; nodes are matched by their names"


@app.command()
def graph(
    spec: Spec,
    out: Annotated[Path | None, typer.Option("-o", "--out", help=_OUT)] = None,
    overwrite: Overwrite = False,
    diff: Annotated[Path | None, typer.Option("--diff", metavar="OTHER", help=_DIFF)] = None,
    scores: Scores = None, teacher: Teacher = None, seed: Seed = 0,
    format: FormatOption = Format.text,
    set_: Set = None,
    accept_changes: AcceptChanges = False, limit: Limit = None,
) -> None:  # fmt: skip
    """Draw the network; a student is drawn against its teacher, any two networks with --diff.

    A page (.html) can be folded and searched. With --scores or --teacher, or where the spec has
    `score = random`, it has a slider over the budget, and shows the student at each.

    Example: catdsl graph runs/demo/student.cat -o student.svg
    """
    from catdsl.jobs import drawing
    from catdsl.jobs.targets import check_target, files_of

    project = open_spec(spec, set_)
    given = scores is not None or teacher is not None
    if given and (out is None or diff is not None):
        raise typer.BadParameter("--scores and --teacher need -o FILE.html, and no --diff")
    if out is not None:
        check_target(out, "graph", overwrite=overwrite, inputs=(*files_of(project), scores, teacher, diff))
    if out is not None and (given or (drawing.needs_no_scores(project) and out.suffix == ".html" and diff is None)):
        from catdsl.jobs.exploring import explore, plan_command, scores_to_show

        ranked = scores_to_show(project, scores, teacher, seed=seed, acceptance=Acceptance(accept_changes, say))
        command = plan_command(spec, scores, teacher, set_, seed)
        warnings = explore(project, ranked, out, command=command, overwrite=overwrite)
        show(warnings, project.sources)
        show_paths([out], format)
        return
    other = open_spec(diff, set_).graph if diff else (project.teacher_graph if project.student else None)
    if out is None and format is Format.json:
        put_json(json.dumps(to_json(project.graph)))
        return
    if out is None:
        put(drawing.tree(project.graph, teacher=other))
        return
    shown = project.source.shown if diff is None else f"{diff} → {project.source.shown}"
    drawing.draw(project.graph, out, teacher=other, subtitle=shown, overwrite=overwrite)
    show_paths([out], format)


@app.command()
def build(
    spec: Spec, out: Out = None, overwrite: Overwrite = False, seed: Seed = 0,
    format: FormatOption = Format.text, set_: Set = None, limit: Limit = None,
) -> None:  # fmt: skip
    """Write graph, summary, module source and initial weights.

    Example: catdsl build specs/quickstart.cat -o built
    """
    project = open_spec(spec, set_)
    from catdsl.jobs.build import FILES
    from catdsl.jobs.build import build as run
    from catdsl.jobs.run_folder import default_folder
    from catdsl.jobs.targets import check_fresh, check_no_input, files_of

    folder = check_fresh(out or default_folder(project, "-build"), overwrite=overwrite)
    for name in FILES:
        check_no_input(folder / name, files_of(project))
    show_paths(run(project, folder, seed=seed, say=say), format)


@app.command()
def explain(
    topic: Annotated[str | None, typer.Argument(metavar="CODE|OPERATOR", help="such as E301, or conv")] = None,
    format: FormatOption = Format.text,
) -> None:
    """The page of an error code or an operator; alone, all codes.

    Example: catdsl explain E301
    """
    from catdsl.jobs import explaining

    page = explaining.codes() if topic is None else explaining.explain(topic)
    if format is Format.json:
        put_json(json.dumps({"topic": topic, "page": page}))
    else:
        put(explaining.plain(page))
