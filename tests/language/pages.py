"""The pages of the language's reference as tests: their programs, their claims, and what does not meet them.

A fence that begins with ```cat holds a program. What else stands on that line says how it is read:

    ```cat                      a whole program
    ```cat fragment             statements of a generator. They stand inside
                                    generator page { input x: image(3, 64, 64) ... output NAME -> conv(3, 1) }
                                where NAME is the last name that the fragment defines at its left border;
                                a fragment with an `output` of its own gets none.
    ```cat set ngf=32           a program whose parameters are set from outside, as with --set
    ```cat file blocks.cat      a file beside the programs that follow on this page; it is not checked itself

A comment at the end of a line claims a diagnostic that starts on this line, in one program:

    conv(8 3)        # error[E101]: a part of the message
    unused = x       # warning[E208]: nothing uses

Several claims on one line are separated by a further `#`. Each program is loaded as users load it. It passes
where every claim is met by a diagnostic of that code, line and severity whose message holds the claimed part,
and where every diagnostic is claimed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from catdsl.diagnostics import CatError, Diagnostic
from catdsl.project import load

_FENCE = re.compile(r"^```cat[ ]*(?P<info>[^\n`]*)\n(?P<text>.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)
_CLAIM = re.compile(r"#\s*(error|warning)\[(E\d\d\d)\](?::[ ]*([^#\n]*))?")
_ASSIGNED = re.compile(r"^([A-Za-z_]\w*)(?:\s*,\s*\w+)*\s*=(?!=)", re.MULTILINE)


@dataclass(frozen=True)
class Claim:
    """A diagnostic that a program says it causes."""

    severity: str
    code: str
    line: int
    part: str

    def met_by(self, found: Diagnostic) -> bool:
        place = found.span.line if found.span else 0
        same = (found.severity.value, found.code, place) == (self.severity, self.code, self.line)
        return same and self.part in found.message


@dataclass(frozen=True)
class Program:
    """A fenced program: where it stands, what is read, and the files beside it."""

    page: str
    line: int
    text: str
    overrides: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()

    @property
    def claims(self) -> tuple[Claim, ...]:
        return tuple(
            Claim(found[1], found[2], number, (found[3] or "").strip())
            for number, line in enumerate(self.text.split("\n"), start=1)
            for found in _CLAIM.finditer(line)
        )

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def programs_of(page: str, text: str) -> Iterator[Program]:
    """Every program that a page holds, in order."""
    files: list[tuple[str, str]] = []
    for fence in _FENCE.finditer(text):
        line = text.count("\n", 0, fence.start()) + 2
        word, _, rest = fence["info"].strip().partition(" ")
        match word:
            case "":
                yield Program(page, line, fence["text"], files=tuple(files))
            case "fragment":
                yield Program(page, line, _wrapped(fence["text"]), files=tuple(files))
            case "set":
                pairs = tuple((n, v) for n, _, v in (item.partition("=") for item in rest.split()))
                yield Program(page, line, fence["text"], pairs, tuple(files))
            case "file":
                files.append((rest.strip(), fence["text"]))
            case _:
                raise ValueError(f"{page}:{line - 1}: unknown kind of program `{word}`")


def complaints(program: Program, folder: Path) -> list[str]:
    """What does not agree between a program's claims and its diagnostics."""
    found = list(_diagnostics(program, folder))
    wrong: list[str] = []
    for claim in program.claims:
        match = next((d for d in found if claim.met_by(d)), None)
        if match is None:
            wrong.append(f"{program}: no {claim.severity}[{claim.code}] `{claim.part}` on line {claim.line}")
        else:
            found.remove(match)
    return wrong + [f"{program}: unclaimed {_shown(d)}" for d in found]


def _diagnostics(program: Program, folder: Path) -> tuple[Diagnostic, ...]:
    for name, text in program.files:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    path = folder / "program.cat"
    path.write_text(program.text, encoding="utf-8")
    try:
        project = load(path, dict(program.overrides))
        assert project.graph.nodes
        assert project.cost.exact >= 0
    except CatError as error:
        return error.diagnostics
    return project.warnings


def _wrapped(fragment: str) -> str:
    body = "".join(f"    {line}\n" if line else "\n" for line in fragment.rstrip("\n").split("\n"))
    names = _ASSIGNED.findall(fragment)
    ended = re.search(r"^output\b", fragment, re.MULTILINE)
    ends = "" if ended else f"    output {names[-1]} -> conv(3, 1)\n"
    return f"generator page {{\n    input x: image(3, 64, 64)\n{body}{ends}}}\n"


def _shown(found: Diagnostic) -> str:
    place = f"line {found.span.line}" if found.span else "no place"
    return f"{found.severity.value}[{found.code}] on {place}: {found.message}"
