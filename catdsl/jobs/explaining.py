"""`explain`: the page of an error code or of an operator."""

import re

from catdsl import resources
from catdsl.diagnostics import CatError
from catdsl.diagnostics.codes import CODES
from catdsl.diagnostics.suggest import did_you_mean
from catdsl.ops.norm import BY_STYLE
from catdsl.view.reference import SIGNS, documented, operator_page


def explain(topic: str) -> str:
    """The page as Markdown. Raises CatError E201 for what is neither a code nor an operator."""
    operators = {op.name: op for op in documented()}
    code = topic.upper() if topic.upper() in CODES else f"E{topic}"
    if code in CODES:
        return _section(code)
    if topic == "norm":
        return "\n\n".join(operator_page(op) for op in BY_STYLE.values())
    topic = {sign: name for name, sign in SIGNS.items()}.get(topic, topic)
    if topic in operators:
        return operator_page(operators[topic])
    raise CatError.one(
        "E201", f"`{topic}` is neither an error code nor an operator", None,
        help=did_you_mean(topic, [*CODES, *operators], otherwise="`catdsl explain` alone lists all codes"),
    )  # fmt: skip


def codes() -> str:
    """All codes, one line each."""
    return "\n".join(f"{code}  {meaning}" for code, meaning in CODES.items())


def _section(code: str) -> str:
    for page in sorted((resources.folder("docs") / "language").glob("errors-*.md")):
        found = re.search(rf"^## {code}: .*?(?=^## |\Z)", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        if found is not None:
            return found[0].removeprefix("## ").rstrip()
    return f"{code}: {CODES[code]}"


def plain(page: str) -> str:
    """Markdown for a terminal: programs indented, without their fences."""
    lines: list[str] = []
    fenced = False
    for line in page.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        else:
            lines.append(f"    {line}".rstrip() if fenced else re.sub(r"\]\([^)]*\)", "]", line))
    return "\n".join(lines)
