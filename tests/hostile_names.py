"""Names that try to be more than names, by what they try."""

import os

HOSTILE: dict[str, str] = {
    "ends a docstring": '"""\nimport os; os.system("x")\n"""',
    "ends a triple quote": "'''); import os #",
    "quotes": "a'b\"c`d",
    "a backslash at the end": "a\\",
    "escapes": r"\x41\u0041\N{BULLET}\"",
    "a format": "{0} {name!r} %s %(x)d ${HOME}",
    "a new line": "a\nimport os",
    "a carriage return": "a\rb\r\nc",
    "other line breaks": "a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g",
    "a null": "a\x00b",
    "colours": "\x1b[31mred\x1b[0m",
    "a title": "\x1b]0;title\x07",
    "c1 controls": "\x9b31m\x90q\x9c",
    "bells and backspaces": "\x07\x08\x7f",
    "a turned direction": "a\u202egnp.exe\u2066b\u2069",
    "no width": "a\u200b\u200d\ufeffb",
    "bytes that are no UTF-8": "a\udcff\udc80b",
    "half a pair": "\ud83d",
    "no character": "\ufffe\uffff",
    "ends a script": "</script><script>alert(1)</script>",
    "ends a comment": "*/ alert(1) /* --> <!-- ]]>",
    "an element": '<img src=x onerror="alert(1)">&lt;b&gt;',
    "an attribute": '" onload="alert(1)',
    "a link": "[x](javascript:alert(1)) ![y](z) <https://example.org>",
    "a table": "| a | b |\n|---|---|",
    "a fence": "```\n~~~\n# head",
    "markup of rich": "[red]x[/red] [link=file:///etc]y[/link] :cat:",
    "mermaid": 'a"]; click x call alert() %%{init: {}}%% $$x$$ fa:fa-ban',
    "graphviz": 'a"; b [label=<<b>x</b>>]; \\N \\G',
    "an annotation": "::set-output name=x::y%0A::error::z",
    "a shell": "$(touch x); `touch y` && z | w > v",
    "an option": "-o --out=x",
    "a path": "../../etc/passwd",
    "unicode identifiers": "\u212a\ufb01\U0001d41a",
    "long": "a" * 300,
}


def in_a_file_name(text: str) -> str:
    """The same as a part of a path: without what no file name can hold, and not too long."""
    kept = "".join("-" if c in "/\x00" else "?" if "\ud800" <= c < "\udc80" else c for c in text)
    return os.fsdecode(os.fsencode(kept)[:180])
