"""`new`: a spec to begin with."""

import re
from pathlib import Path

from catdsl import resources
from catdsl.diagnostics import CatError
from catdsl.files import write_text
from catdsl.syntax.build import KEYWORDS

_TEMPLATE = "quickstart.cat"
_OPENING = """# A small inception ResNet to begin with, from images of 64 x 64 to images of 64 x 64.
# Its pages are in docs/language; `catdsl explain conv` prints that of an operator.
"""


def new_spec(name: str) -> Path:
    """Write NAME.cat, the quick start with its generator called after the file. Returns the file.

    Raises CatError E104 for a name that a generator cannot have, E603 where the file exists, E608.
    """
    path = Path(name if name.endswith(".cat") else f"{name}.cat")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", path.stem) or path.stem in KEYWORDS:
        raise CatError.one(
            "E104", f"a generator cannot be called `{path.stem}`", None,
            help="begin with a letter, go on with letters, digits and _; keywords are taken",
        )  # fmt: skip
    if path.exists():
        raise CatError.one("E603", f"{path} exists already", help="choose another name")
    text = (resources.folder("specs") / _TEMPLATE).read_text("utf-8")
    text = re.sub(r"(?<=\n\n)(# .*\n)+", _OPENING, text, count=1)
    write_text(path, re.sub(r"^generator \w+", f"generator {path.stem}", text, flags=re.MULTILINE))
    return path
