"""Words as Python: docstrings of our own words, and names. Nothing else of a text gets into code.

The language's names are ASCII; a graph that was made otherwise may have others, and Python reads some
characters of names as others (NFKC), so that two names could become one.
"""

import keyword
import re

from catdsl.diagnostics import CatError, InternalError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


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
