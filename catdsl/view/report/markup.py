"""HTML as values: whatever is not known to be HTML is escaped where it is put into an element."""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from catdsl.diagnostics import CatError
from catdsl.view.svg_elements import safe

_PNG = b"\x89PNG\r\n\x1a\n"
_EMPTY = ("img", "input", "meta", "link", "br")
# A text may have line breaks of its own in these.
_PREFORMATTED = ("pre", "code")

Attribute = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Html:
    """Text that is HTML already."""

    text: str


Part = Html | str | None


def element(tag: str, /, *parts: Part, **attributes: Attribute) -> Html:
    """An element with text and other elements in it; None is nothing.

    In the names of attributes `_` stands for `-`, and one at the end is dropped: `class_`, `data_role`.
    True is an attribute without a value; False and None leave it out.
    """
    given = "".join(_attribute(key, value) for key, value in attributes.items())
    if tag in _EMPTY:
        return Html(f"<{tag}{given}>")
    return Html(f"<{tag}{given}>{''.join(_inside(part, tag) for part in parts)}</{tag}>")


def joined(parts: Iterable[Html | None]) -> Html:
    """Elements one after the other."""
    return Html("\n".join(part.text for part in parts if part is not None))


def image(png: bytes, *, alt: str, **attributes: Attribute) -> Html:
    """An image that the page brings along, of its own size."""
    width, height = png_size(png)
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    return element("img", src=source, alt=alt, width=width, height=height, **attributes)


def png_size(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG, as its header says. Raises CatError E602 for bytes that are none."""
    # The header is the first part of every PNG: 8 bytes of signature, then length, name, width, height.
    if len(png) < 24 or not png.startswith(_PNG) or png[12:16] != b"IHDR":
        raise CatError.one(
            "E602", "a picture of the report is not a PNG", help="evaluate the run again; its pictures are then remade"
        )
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


def _inside(part: Part, tag: str) -> str:
    if part is None:
        return ""
    return part.text if isinstance(part, Html) else safe(part, lines=tag in _PREFORMATTED)


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = name.removesuffix("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{safe(str(value))}"'
