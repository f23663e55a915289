"""HTML read back: its elements in order, its texts, and everything that is wrong with it."""

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

_EMPTY = ("img", "input", "meta", "link", "br")
_LABELLED = ("input", "select", "textarea")


@dataclass(slots=True)
class Read:
    """Elements with their attributes, in the order in which they begin; texts; and mistakes in the nesting."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)

    @property
    def skeleton(self) -> list[tuple[str, tuple[str, ...]]]:
        """Names of elements and of their attributes: what no text may change."""
        return [(tag, tuple(attributes)) for tag, attributes in self.elements]

    def text(self, *within: str) -> str:
        """All text, or that directly in elements of some names."""
        return "\n".join(words for tag, words in self.texts if not within or tag in within)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = Read()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.read.elements.append((tag, dict(attrs)))
        if len(dict(attrs)) != len(attrs):
            self.read.mistakes.append(f"<{tag}> has an attribute twice")
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.read.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.read.mistakes.append(f"</{tag}> closes {self.open[-1:] or 'nothing'}")
        elif self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.read.texts.append((self.open[-1], data))

    def handle_comment(self, data: str) -> None:
        self.read.mistakes.append(f"a comment: {data[:40]}")

    def unknown_decl(self, data: str) -> None:
        self.read.mistakes.append(f"a declaration: {data[:40]}")


def read(html: str) -> Read:
    """Take a page apart."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    if reader.open:
        reader.read.mistakes.append(f"never closed: {reader.open}")
    return reader.read


def problems(html: str) -> list[str]:
    """What is wrong with a page: nesting, names given twice, images and controls without words, headings."""
    page = read(html)
    found = list(page.mistakes)
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    found += [f"the id {name} is given {count} times" for name, count in ids.items() if count > 1]
    found += ["an image has no alt" for image in page.all("img") if not image.get("alt")]
    named = {label.get("for") for label in page.all("label")}
    found += [
        f"<{tag}> {attributes.get('id')} has no label"
        for tag, attributes in page.elements
        if tag in _LABELLED and attributes.get("id") not in named and not attributes.get("aria-label")
    ]
    found += [f"a label is for {name}, which is not there" for name in named if name not in ids]
    links = [str(link.get("href")) for link in page.all("a")]
    found += [f"a link to {link}" for link in links if not link.startswith("#") or link[1:] not in ids]
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3", "h4", "h5", "h6")]
    if levels[:1] != [1] or levels.count(1) != 1:
        found.append(f"the headings begin with {levels[:2]}")
    found += [f"a heading h{b} follows h{a}" for a, b in pairwise(levels) if b > a + 1]
    return found
