"""Words as Python: literals, docstrings of our own words, and names. Nothing else of a text gets into code.

The language's names are ASCII; a graph that was made otherwise may have others, and Python reads some
characters of names as others (NFKC), so that two names could become one.
"""

import keyword
import re

from catdsl.diagnostics import CatError, InternalError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def literal(text: str) -> str:
    """A string literal, in ASCII and on one line, of any text."""
    # As formatters have it: the quotes that need fewer escapes.
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(f"\\{c}" if c == quote else _escaped(c) for c in text) + quote


def docstring(text: str) -> str:
    """A docstring of words that are ours, and of names that were checked; in it nothing is escaped."""
    if not all(c == "\n" or " " <= c <= "~" for c in text) or '"' in text or "\\" in text:
        raise InternalError(f"a docstring would hold more than plain words: {text!a}")
    return f'"""{text}"""'


def is_identifier(name: str) -> bool:
    """Whether it is a name in Python that reads as it is written."""
    return _NAME.fullmatch(name) is not None and not keyword.iskeyword(name)


def checked_path(name: str) -> str:
    """A name of the graph, dotted words of ASCII letters, digits and `_`. Raises CatError E610 for any other."""
    if not re.fullmatch(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*", name, re.ASCII):
        raise CatError.one(
            "E610", f"the name {name!a} cannot be written in Python", help="use letters, digits and `_` in names"
        )
    return name


def _escaped(char: str) -> str:
    if " " <= char <= "~":
        return _ESCAPES.get(char, char)
    code = ord(char)
    if char in _ESCAPES:
        return _ESCAPES[char]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
