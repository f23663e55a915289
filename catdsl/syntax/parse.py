"""Text to tree. After a syntax error the parser goes on at the next item, so that one run finds several."""

import re
from functools import cache, lru_cache

from lark import Lark, UnexpectedCharacters, UnexpectedInput
from lark.exceptions import VisitError

from catdsl import resources
from catdsl.diagnostics import CatError, Diagnostic, Span
from catdsl.syntax.build import TreeBuilder
from catdsl.syntax.explain import explain
from catdsl.syntax.tree import Program

MAX_TEXT = 1_000_000
# About a second of parsing.
MAX_TOKENS = 60_000
_MAX_ERRORS = 10

# As the grammar counts them: a dotted path of a width is one, a comment none.
_TOKEN = re.compile(r'("[^"\n]*"|\w+(?:\.\w+)*|[^\w\s#])|#[^\n]*')
# Where an item begins: a keyword, or the name of a settings block, at the left border.
_ITEM = re.compile(r"^(?:(?:param|use|block|generator|discriminator|student)\b|[A-Za-z_]\w*\s*\{)", re.MULTILINE)


@cache
def grammar() -> str:
    return (resources.folder("grammars") / "cat.lark").read_text(encoding="utf-8")


@cache
def _parser() -> Lark:
    return Lark(grammar(), parser="lalr", propagate_positions=True, maybe_placeholders=True)


# The same text is parsed for its student, for its spec, and for each `use` of a library file.
@lru_cache(maxsize=32)
def parse(text: str, file: str) -> Program:
    """The syntax tree of `text`. Raises CatError with every syntax error that was found."""
    _check_size(text, file)
    problems: list[Diagnostic] = []
    rest, start = text, 0
    while True:
        try:
            tree = _parser().parse(rest)
            break
        except UnexpectedInput as error:
            problems.append(explain(error, rest, file))
            following = _next_item(text, start, error)
            if following is None or len(problems) == _MAX_ERRORS:
                break
            start = following
            # Spaces in place of what was read keep every position as it is.
            rest = re.sub(r"[^\n]", " ", text[:start]) + text[start:]
    if problems:
        raise CatError(problems, {file: text})
    try:
        return TreeBuilder(file).transform(tree)
    except VisitError as error:
        if isinstance(error.orig_exc, CatError):
            raise CatError(error.orig_exc.diagnostics, {file: text}) from None
        raise


def _check_size(text: str, file: str) -> None:
    """Raise CatError E103 for a text that would take too long to parse."""
    place = Span(file, 1, 1, 1, 1)
    if len(text) > MAX_TEXT:
        message = f"the file has {len(text):,} characters; the limit is {MAX_TEXT:,}"
        raise CatError.one("E103", message, place, help="split it with `use`")
    # A word or sign takes a character or more: most files need no counting.
    if len(text) <= MAX_TOKENS:
        return
    tokens = sum(found[1] is not None for found in _TOKEN.finditer(text))
    if tokens > MAX_TOKENS:
        message = f"the file has {tokens:,} words and signs; the limit is {MAX_TOKENS:,}"
        raise CatError.one("E103", message, place, help="write what repeats as a block, or split it with `use`")


def _next_item(text: str, start: int, error: UnexpectedInput) -> int | None:
    """Where to go on after an error: the first item behind it, and behind where this attempt began."""
    if len(text) > MAX_TOKENS:
        return None
    if isinstance(error, UnexpectedCharacters):
        position: int | None = error.pos_in_stream
    else:
        token = error.token  # type: ignore[attr-defined]
        position = None if token.type == "$END" else token.start_pos
    if position is None:
        return None
    found = _ITEM.search(text, max(start + 1, position))
    return found.start() if found else None
