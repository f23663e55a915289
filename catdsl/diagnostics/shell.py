"""Commands that are shown and copied: words quoted for a shell, none of them with characters that cannot be seen."""

import os
import shlex
from collections.abc import Iterable


def shell_line(words: Iterable[str]) -> str:
    """The words as one line, which a shell takes apart into the same words."""
    return " ".join(map(shell_word, words))


def shell_word(word: str) -> str:
    """A word in quotes where it needs them; with characters that cannot be seen as `$'...'`, in plain ASCII."""
    if word.isprintable():
        return shlex.quote(word)
    try:
        held = os.fsencode(word)
    except UnicodeEncodeError:
        # Halves of characters that stand for no byte: no system gives a word with those.
        held = word.encode("utf-8", "replace")
    return "$'" + "".join(_escaped(byte) for byte in held) + "'"


def _escaped(byte: int) -> str:
    char = chr(byte)
    return char if " " <= char <= "~" and char not in "'\\" else f"\\x{byte:02x}"
