"""Formatting a text, and the proof that nothing but white space changed."""

from functools import cache

from lark import Lark

from catdsl.diagnostics import InternalError
from catdsl.syntax.layout.program import ProgramLayout
from catdsl.syntax.layout.tokens import Surroundings, leaves
from catdsl.syntax.parse import grammar, parse


@cache
def _parser() -> Lark:
    return Lark(grammar(), parser="lalr", keep_all_tokens=True, maybe_placeholders=False)


def format_text(text: str, file: str) -> str:
    """`text` in the canonical layout: the same tokens and comments, and so the same meaning.

    Blank lines between statements stay, at most one at a time. Raises CatError with every syntax
    error of the text.
    """
    parse(text, file)
    tree = _parser().parse(text)
    made = ProgramLayout(text, tree).lines()
    result = "\n".join(made) + "\n" if made else ""
    if _content(result) != _content(text):
        raise InternalError(f"formatting {file} would change more than its white space")
    return result


def _content(text: str) -> tuple[list[str], list[str]]:
    tree = _parser().parse(text)
    around = Surroundings(text, tree)
    comments = [
        comment
        for token in [*leaves(tree), None]
        for place in [around.end if token is None else around[token]]
        for comment in (*(c for _, c in place.before), *([place.behind] if place.behind else ()))
    ]
    return [str(token) for token in leaves(tree)], comments
