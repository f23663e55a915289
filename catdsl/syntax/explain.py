"""The grammar's errors in the reader's words: what cannot stand there, what may, and what to write."""

import re

from lark import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from catdsl.diagnostics import Diagnostic, Span
from catdsl.diagnostics.printable import printable
from catdsl.diagnostics.suggest import nearest
from catdsl.syntax.build import KEYWORDS

# Terminals of the grammar that say nothing to a reader under lark's own names.
_READABLE = {
    "NAME": "a name", "NUMBER": "a number", "STRING": 'a "string"', "PATH": "a width's path",
    "RANGE": "`..`", "$END": "the end of the file", "COMPARE": "a comparison", "PLUS": "`+`",
    "MINUS": "`-`", "STAR": "`*`", "SLASH": "`/`", "FLOORDIV": "`//`", "PERCENT_SIGN": "`%`",
    "LPAR": "`(`", "RPAR": "`)`", "LSQB": "`[`", "RSQB": "`]`", "LBRACE": "`{`", "RBRACE": "`}`",
    "COMMA": "`,`", "EQUAL": "`=`", "COLON": "`:`", "DOT": "`.`", "__ANON_0": "`->`",
}  # fmt: skip
_OPERATORS = frozenset(
    ("COMPARE", "PLUS", "MINUS", "STAR", "SLASH", "FLOORDIV", "PERCENT_SIGN", "DOT", "LSQB", "__ANON_0", "IF")
)
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_CLOSING_TERMINALS = {"(": "RPAR", "[": "RSQB", "{": "RBRACE"}
_ITEMS = ("param", "use", "block", "generator", "discriminator", "student", "style", "search", "budget")
_STATEMENTS = ("input", "output", "return")

_NO_LOOPS = "there are no loops: write `[E for k in list]`, `sum(E for k in list)`, or a repeat `n * block`"
_NO_AND = "there is no `and`, `or`, `not`: nest conditions, `a if c else (b if d else a)`"
_PLACES = "width forms stand only where an argument stands: `conv(fixed 64, 3)`, `conv(64 in 8..48, 3)`"
_BOUNDS = "bounds are written low..high, each end may be left out: `64 in 8..48`, `64 in 16.. step 8`"

# What to write where the word before the place is none of the language's, or stands wrongly.
_AFTER_WORD = {
    "for": _NO_LOOPS,
    "while": _NO_LOOPS,
    "if": "there is no `if` statement: write `name = a if c else b`",
    "def": "a block is written `block name(x) { ... return ... }`",
    "func": "a block is written `block name(x) { ... return ... }`",
    "function": "a block is written `block name(x) { ... return ... }`",
    "let": "a statement needs no keyword: `name = value`",
    "var": "a statement needs no keyword: `name = value`",
    "const": "a fixed value is written `param name = value`",
    "class": "a network is written `generator name { ... }`",
    "import": 'definitions are taken with `use name from "file.cat"`',
    "from": 'definitions are taken with `use name from "file.cat"`',
    "cat": "`cat 1` stands once, at the very start of the file",
    "fixed": _PLACES,
    "tied": _PLACES,
    "not": _NO_AND,
    "return": "`return` ends a block; a generator ends with `output`",
    "output": "`output` ends a generator; a block ends with `return`",
    "input": "inputs stand in generators; a block takes its tensors as arguments",
}
# What to write instead of a sign or word that cannot stand there.
_INSTEAD = {
    "and": _NO_AND,
    "or": _NO_AND,
    "in": _PLACES,
    "//": "comments begin with `#`",
}
_CHARACTERS = {
    "'": 'strings stand in double quotes: "..."',
    "\N{LEFT DOUBLE QUOTATION MARK}": 'strings stand in straight double quotes: "..."',
    "\N{RIGHT DOUBLE QUOTATION MARK}": 'strings stand in straight double quotes: "..."',
    "\N{RIGHTWARDS ARROW}": "write `->`",
    "\N{MULTIPLICATION SIGN}": "write `*`",
    ";": "statements need no `;`, and settings are separated by `,`",
    "&": _NO_AND,
    "|": _NO_AND,
    "!": "conditions are `==`, `!=`, `<`, `<=`, `>`, `>=`",
    "^": "powers are written as products: `2 * 2 * 2`",
    "=": "`=` stands between a name and its value",
    "-": "did you mean `->`?",
    "/": "comments begin with `#`",
}


def explain(error: UnexpectedInput, text: str, file: str) -> Diagnostic:
    """The diagnostic for what the parser stumbled over in `text`."""
    if isinstance(error, UnexpectedCharacters):
        return _bad_character(error, text, file)
    assert isinstance(error, UnexpectedToken)
    accepted = set(error.accepts or error.expected)
    if error.token.type == "$END":
        opened = _open_bracket(text, len(text))
        return Diagnostic(
            "E101", "the file ends too early", _end_of(text, file), label=f"expected {_choices(accepted)}",
            notes=_still_open(opened, text, file),
            help=f"a closing `{_CLOSING[opened[0]]}` is missing" if opened else "",
        )  # fmt: skip
    token, start = error.token, error.token.start_pos or 0
    span = Span(file, token.line, token.column, token.end_line, token.end_column)
    opened = _open_bracket(text, start)
    # A bracket on the line itself is plain to see.
    closable = opened is not None and opened[0] != "{" and _CLOSING_TERMINALS[opened[0]] in accepted
    closable = closable and "\n" in text[opened[1] : start]  # type: ignore[index]
    return Diagnostic(
        "E101", f"`{_clip(str(token))}` cannot stand here", span, label=f"expected {_choices(accepted)}",
        notes=_still_open(opened, text, file) if closable or _runs_on(str(token), "", opened) else (),
        help=_help(accepted, str(token), text[:start], text[start + len(token) :], opened),
    )  # fmt: skip


def _runs_on(token: str, previous: str, opened: tuple[str, int] | None) -> bool:
    """Whether an item seems to begin inside another one, whose brace is still open."""
    if opened is None or opened[0] != "{":
        return False
    return bool({token, previous} & set(_ITEMS[:6])) or token == "{"


def _help(accepted: set[str], token: str, before: str, after: str, opened: tuple[str, int] | None) -> str:
    """What to write: first what is peculiar to this place, then what follows from what may stand here."""
    found = re.search(r"([A-Za-z_]\w*)\s*$", before)
    previous = found[1] if found else ""
    special = _peculiar(accepted, token, before, after, previous)
    if special:
        return special
    if token in _CLOSING.values():
        if opened is None:
            return f"there is one `{token}` too many"
        if _CLOSING[opened[0]] != token:
            return f"`{opened[0]}` is closed with `{_CLOSING[opened[0]]}`"
    if _runs_on(token, previous, opened):
        return f"a closing `}}` may be missing before `{previous if token == '{' else token}`"
    if previous in _AFTER_WORD and "NAME" not in accepted:
        return _AFTER_WORD[previous]
    if accepted <= {"COMMA", "EQUAL", "LBRACE"} and (word := nearest(previous, (*_ITEMS, *_STATEMENTS))):
        return f"did you mean `{word}`?" if word != previous else ""
    if "COMMA" in accepted and ("RPAR" in accepted or "RSQB" in accepted):
        return "a comma or a closing bracket may be missing before it"
    if "COMMA" in accepted and "RBRACE" in accepted:
        return "a comma may be missing before it"
    word = nearest(token, {t.lower() for t in accepted if t.lower() in KEYWORDS})
    return f"did you mean `{word}`?" if word and token.isidentifier() else ""


def _peculiar(accepted: set[str], token: str, before: str, after: str, previous: str) -> str:
    """Help for mistakes that are known by the signs around them."""
    close = before[-1:]
    if (token == "=" and after.startswith(">")) or (token == ">" and before.rstrip().endswith(("-", "="))):
        return "did you mean `->`?"
    if token == "*" and close == "*":
        return "powers are written as products: `2 * 2 * 2`"
    if token == "." and after[:1].isdigit() and close != ".":
        return f"write `0.{re.match('[0-9]*', after)[0]}`"  # type: ignore[index]
    if "RANGE" in accepted or (token == "." and close == "."):
        return _BOUNDS
    if token == "=" and close == "=":
        return "a name gets its value with one `=`"
    if token in ("+", "-", "*", "/") and after.startswith("=") and "EQUAL" in accepted:
        return "a name gets its value once: write a new name, `name = a + b`"
    if token == "(" and re.search(r"\.\s*\w+\s*$", before):
        return f"there are no methods: write `x -> {previous}(...)`"
    if token == ":" and "EQUAL" in accepted:
        return "write `=`"
    if token == "in" and (form := re.search(r"\b(tied|fixed)\b[^,({\n]*$", before)):
        return f"`{form[1]}` takes no bounds: it says already what the width is"
    if token in _INSTEAD and not (token == "//" and before.rpartition("\n")[2].strip()):
        return _INSTEAD[token]
    if accepted == {"ELSE"}:
        return "every `if` has its `else`: `a if c else b`"
    return _AFTER_WORD[previous] if previous in ("fixed", "tied") else ""


def _bad_character(error: UnexpectedCharacters, text: str, file: str) -> Diagnostic:
    start: int = error.pos_in_stream  # type: ignore[assignment]
    rest, column = text[start:], error.column
    span = Span(file, error.line, column, error.line, column + 1)
    if rest.startswith('"'):
        return Diagnostic("E102", "a string is not closed on its line", span, help='end it with `"`')
    if rest[0].isdigit() and rest[0].isascii():
        # `2.6GB` is read up to the point first; the whole is what was meant.
        head = re.search(r"(?:[0-9]+\.)?$", text[:start])[0]  # type: ignore[index]
        word = head + re.match(r"\w+(?:\.\w+)?%?", rest)[0]  # type: ignore[index]
        span = Span(file, error.line, column - len(head), error.line, column - len(head) + len(word))
        return Diagnostic(
            "E102", f"`{_clip(word)}` is not a number", span,
            help="numbers look like 64, 0.02, 2e-4, 2.6G, 400K, 25%; names begin with a letter",
        )  # fmt: skip
    help_text = _CHARACTERS.get(rest[0], "")
    if not help_text and rest[0].isalnum():
        help_text = "names are made of the letters a to z, A to Z, digits and `_`"
    return Diagnostic("E102", f"`{_clip(rest[0])}` cannot stand here", span, help=help_text)


def _open_bracket(text: str, stop: int) -> tuple[str, int] | None:
    """The innermost bracket that is open at `stop`, and where it stands."""
    opened: list[tuple[str, int]] = []
    for found in re.finditer(r'"[^"\n]*"|#[^\n]*|[()\[\]{}]', text[:stop]):
        sign = found[0]
        if sign in _CLOSING:
            opened.append((sign, found.start()))
        elif opened and _CLOSING[opened[-1][0]] == sign:
            opened.pop()
    return opened[-1] if opened else None


def _still_open(opened: tuple[str, int] | None, text: str, file: str) -> tuple[str, ...]:
    if opened is None:
        return ()
    sign, position = opened
    line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
    return (f"`{sign}` at {file}:{line}:{column} is still open",)


def _end_of(text: str, file: str) -> Span:
    """The place behind the last thing in the text that is neither space nor comment."""
    last, column = 1, 1
    for number, line in enumerate(text.split("\n"), start=1):
        code = line.split("#", 1)[0].rstrip()
        if code:
            last, column = number, len(code) + 1
    return Span(file, last, column, last, column + 1)


def _choices(accepted: set[str]) -> str:
    """What may stand there, in few words: a list of operators is `an operator`."""
    words = sorted({_word(t) for t in accepted - _OPERATORS})
    if accepted & _OPERATORS:
        words.append("an operator")
    shown = words[:6]
    if len(words) > len(shown):
        return ", ".join(shown) + ", ..."
    return " or ".join((", ".join(shown[:-1]), shown[-1])) if len(shown) > 1 else "".join(shown)


def _word(terminal: str) -> str:
    return _READABLE.get(terminal, f"`{terminal.lower()}`")


def _clip(text: str) -> str:
    text = printable(text)
    return text if len(text) <= 40 else text[:37] + "..."
