"""The tokens of a program in order, with the comments and blank lines between them."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from lark import Token, Tree

_COMMENT = re.compile(r'"[^"\n]*"|(#[^\n]*)')


@dataclass(slots=True)
class Around:
    """What stands around a token besides other tokens.

    `before` are the comments on lines of their own that precede it, each with whether a blank line
    precedes that; `blank` says so of the token itself; `behind` ends the token's line.
    """

    before: list[tuple[bool, str]] = field(default_factory=list)
    blank: bool = False
    behind: str = ""


class Surroundings:
    """Around every token of a tree; `end` holds the comments behind the last one."""

    def __init__(self, text: str, tree: Tree):
        tokens = list(leaves(tree))
        starts = [_start(token) for token in tokens]
        ends = [start + len(token) for start, token in zip(starts, tokens, strict=True)]
        self._around = {start: Around() for start in starts}
        self.end = Around()
        last_comment = 0
        for found in _COMMENT.finditer(text):
            if found[1] is None:
                continue
            following = bisect_left(starts, found.start())
            previous_end = ends[following - 1] if following else 0
            comment = found[1].rstrip()
            if following and "\n" not in text[previous_end : found.start()]:
                self._around[starts[following - 1]].behind = comment
            else:
                after = self.end if following == len(tokens) else self._around[starts[following]]
                after.before.append((_blank(text[max(previous_end, last_comment) : found.start()]), comment))
            last_comment = found.end()
        for previous_end, start in zip([0, *ends], starts, strict=False):
            gap = text[previous_end:start]
            self._around[start].blank = _blank(gap[gap.rfind("#") :] if "#" in gap else gap)

    def __getitem__(self, token: Token) -> Around:
        return self._around[_start(token)]


def leaves(tree: Tree | Token) -> Iterator[Token]:
    """The tokens of a tree, in order."""
    stack = [tree]
    while stack:
        top = stack.pop()
        if isinstance(top, Token):
            yield top
        else:
            stack += reversed(top.children)


def _start(token: Token) -> int:
    assert token.start_pos is not None
    return token.start_pos


def first(tree: Tree | Token) -> Token:
    return next(leaves(tree))


def last(tree: Tree | Token) -> Token:
    while not isinstance(tree, Token):
        tree = tree.children[-1]
    return tree


def _blank(gap: str) -> bool:
    """Whether a gap between two things holds an empty line."""
    return gap.count("\n") > 1
