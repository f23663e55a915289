"""Mutated specs give a graph or diagnostics, never another exception, and each in little time."""

import random
import re
from pathlib import Path
from time import process_time

import pytest

from catdsl.diagnostics import CatError
from catdsl.diagnostics.render import render_github, render_json, render_text
from catdsl.project import load
from tests.language.test_pages import ALL

CASES = 1_200
# Of processor time, on a slow machine that does other things too.
SECONDS = 8.0

_TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|[A-Za-z_]\w*|[0-9][\w.]*|->|\.\.|//|[=<>!]=|\s+|.')
_INSERTED = (
    "0", "-1", "1e18", "65536", "0.5", "25%", "x.channels", "x.height", "in 0..", "fixed", "tied", "step 3",
    "-> split(2)", "-> pixel_shuffle(2)", "concat(x, x)", "for k in [1, 3]", "range(3)", "if true else",
    "[", "(", ")", "]", "{", "}", "tied x.channels / 2", "x.channels // 2", "resize(like = x)", '"a"',
)  # fmt: skip
_OPERATORS = ("+", "-", "*", "/", "//", "%", "->")


def seeds(root: Path) -> list[str]:
    """The shipped specs made small, and the programs of the reference."""
    texts = [path.read_text("utf-8") for path in sorted((root / "specs").glob("*.cat"))]
    texts = [re.sub(r"(ngf|blocks)(\s*)= \d+", r"\1\2= 2", t).replace("256, 512", "64, 128") for t in texts]
    return texts + [program.text for program in ALL]


def mutated(text: str, rng: random.Random, tokens: list[str]) -> str:
    if rng.random() < 0.15:
        place = rng.randrange(len(text) + 1)
        return text[:place] + chr(rng.choice((rng.randrange(0x20, 0x7F), rng.randrange(0x3000)))) + text[place + 1 :]
    parts = _TOKEN.findall(text)
    for _ in range(rng.choice((1, 1, 2, 4))):
        places = [i for i, part in enumerate(parts) if part.strip()]
        if not places:
            break
        place = rng.choice(places)
        kind = rng.random()
        if kind < 0.6:
            parts[place] = _replaced(parts[place], rng, tokens)
        elif kind < 0.75:
            parts[place] = ""
        elif kind < 0.9:
            parts.insert(place, f" {rng.choice(_INSERTED)} ")
        else:
            other = rng.randrange(len(parts))
            parts[place], parts[other] = parts[other], parts[place]
    return "".join(parts)


def _replaced(part: str, rng: random.Random, tokens: list[str]) -> str:
    if part.isidentifier():
        return rng.choice([t for t in tokens if t.isidentifier()])
    if part[0].isdigit():
        return rng.choice(("0", "1", "2", "3", "8", "300", "0.5", "3.0", "-1", "25%", "[1]", "x.channels"))
    return rng.choice(_OPERATORS) if part in _OPERATORS else rng.choice(_INSERTED)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_mutations(root: Path, seed: int) -> None:
    rng = random.Random(seed)
    texts = seeds(root)
    tokens = sorted({t for text in texts for t in _TOKEN.findall(text)})
    graphs = 0
    for _ in range(CASES // 3):
        # The brace in the comment says that this is a text, not a path.
        text = mutated(rng.choice(texts), rng, tokens) + "\n#{}\n"
        start = process_time()
        graphs += not errors_in(text)
        assert process_time() - start < SECONDS, text
    assert graphs > 5


def errors_in(text: str) -> int:
    """How many errors a text has; whatever is neither graph nor error is the text's own failure."""
    try:
        project = load(text)
        return int(not project.graph.nodes or project.cost.params < 0)
    except CatError as error:
        shown = render_text(error.diagnostics, error.sources), render_github(error.diagnostics)
        return len(error.diagnostics) * all(shown) * bool(render_json(error.diagnostics))
    except Exception as error:
        raise AssertionError(f"{error!r} from:\n{text}") from error


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_characters(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(100):
        text = "".join(chr(rng.randrange(1, 0x250)) for _ in range(rng.randrange(200))) + "\n{"
        with pytest.raises(CatError):
            assert load(text).graph.nodes
