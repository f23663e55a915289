"""A picture as a page has made it, with blocks folded: read back as it is seen, and its wires followed."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from catdsl.ir.graph import Graph
from tests.view.picture import Frame, path_pieces

_SVG = "{http://www.w3.org/2000/svg}"
_PLACE = re.compile(r"translate\((-?[\d.]+)[ ,](-?[\d.]+)\)")
_TOKEN = re.compile(r"[MHVLQZhlz]|-?[\d.]+")
_SLACK = 1.5


def as_seen(svg: str) -> str:
    """The same picture without transforms, and without what is folded away."""
    root = ElementTree.fromstring(svg)
    scale = root.get("viewBox", "").split()
    root.set("width", scale[2])
    root.set("height", scale[3])
    _settle(root, 0, 0)
    return ElementTree.tostring(root, encoding="unicode")


def _settle(element: ElementTree.Element, x: float, y: float) -> None:
    found = _PLACE.fullmatch(element.attrib.pop("transform", ""))
    if found:
        x, y = x + float(found[1]), y + float(found[2])
    for name, more in (("x", x), ("y", y)):
        if element.get(name) is not None:
            element.set(name, str(float(element.get(name, "")) + more))
    if element.get("d") and (x or y):
        element.set("d", " ".join(_moved(element.get("d", ""), x, y)))
    style = (element.get("class") or "").split()
    for child in list(element):
        if "folded" in style and not {"body", "knob"} & set((child.get("class") or "").split()):
            element.remove(child)
        else:
            _settle(child, x, y)


def _moved(commands: str, x: float, y: float) -> Iterator[str]:
    command, first = "", True
    for token in _TOKEN.findall(commands):
        if token.isalpha():
            command, first = token, True
            yield token
            continue
        along = command == "H" or (command in "MLQ" and first)
        yield token if command in "hl" else str(float(token) + (x if along else y))
        first = not first


# ---- wires ----


def loose(svg: str, graph: Graph) -> list[tuple[str, str]]:
    """Edges between boxes that are seen, whose wires do not lead from the one to the other."""
    root = ElementTree.fromstring(svg)
    box_of: dict[int, Frame] = {}
    pieces: dict[tuple[int, int], list[Frame]] = {}
    _collect(root, box_of, pieces)
    names = [n.name for n in graph.nodes]
    hidden = _folded_into(root, names, graph)
    wrong = []
    for target, node in enumerate(graph.nodes):
        for source in map(names.index, node.inputs):
            start, goal = (box_of.get(n) or hidden.get(n) for n in (source, target))
            if (
                start is not None
                and goal is not None
                and start != goal
                and not _leads(start, goal, pieces.get((source, target), []))
            ):
                wrong.append((names[source], names[target]))
    return wrong


def _collect(element: ElementTree.Element, boxes: dict[int, Frame], pieces: dict[tuple[int, int], list[Frame]]) -> None:
    """Frames of cards and signs by the nodes in them, and pieces of wires by edge."""
    style = (element.get("class") or "").split(" ")[0]
    if style in ("card", "end", "join"):
        frame = _frame(element)
        for inner in element.iter():
            if inner.get("data-node"):
                boxes[int(inner.get("data-node", ""))] = frame
        return
    if style == "net":
        lines = [piece for path in element for piece in path_pieces(path.get("d", ""))]
        for edge in element.get("data-e", "").split():
            source, target = map(int, edge.split("-"))
            pieces.setdefault((source, target), []).extend(lines)
        return
    for child in element:
        _collect(child, boxes, pieces)


def _folded_into(root: ElementTree.Element, names: list[str], graph: Graph) -> dict[int, Frame]:
    """For nodes that are not seen, the frame of the box that is closed over them."""
    seen = {int(e.get("data-node", "")) for e in root.iter() if e.get("data-node")}
    closed = [(e.get("data-path", ""), _frame(e)) for e in root.iter() if "folded" in (e.get("class") or "").split()]
    found = {}
    for i, name in enumerate(names):
        over = [frame for path, frame in closed if name.startswith(f"{path}.")]
        # Two boxes may have one path; then it cannot be told which holds the node.
        if i not in seen and len(over) == 1:
            found[i] = over[0]
    return found


def _frame(element: ElementTree.Element) -> Frame:
    body = next(e for e in element if (e.get("class") or "").split(" ")[0] in ("body", "sign"))
    x, y, width, height = (float(body.get(key, "nan")) for key in ("x", "y", "width", "height"))
    return Frame(x, y, x + width, y + height)


def _leads(start: Frame, goal: Frame, pieces: list[Frame]) -> bool:
    reached, left = [Frame(start.left, start.bottom, start.right, start.bottom)], list(pieces)
    end = Frame(goal.left, goal.top, goal.right, goal.top)
    while reached:
        here = reached.pop()
        if _touch(here, end):
            return True
        reached += [p for p in left if _touch(here, p)]
        left = [p for p in left if not _touch(here, p)]
    return False


def _touch(a: Frame, b: Frame) -> bool:
    across = min(a.right, b.right) - max(a.left, b.left)
    down = min(a.bottom, b.bottom) - max(a.top, b.top)
    return across >= -_SLACK and down >= -_SLACK
