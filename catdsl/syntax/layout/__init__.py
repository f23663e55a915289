"""The canonical layout of a program: the same tokens and comments, with other white space."""

from catdsl.syntax.layout.format import format_text

__all__ = ["format_text"]
