"""Expressions, arguments and pairs as documents: where lines may be broken, and how they are aligned."""

from itertools import pairwise

from lark import Token, Tree

from catdsl.syntax.layout.doc import Align, Comment, Concat, Doc, Group, Line, Nest, Text, concat, fill, flat_width
from catdsl.syntax.layout.tokens import Surroundings, first

# A pipeline whose head is longer than this continues below its beginning, not below its first arrow.
_LONGEST_HEAD = 32
_LISTS = ("arguments", "items", "pairs", "counts", "formals", "names")


class Expressions:
    """Documents of the expressions of one program."""

    def __init__(self, around: Surroundings):
        self.around = around

    def token(self, token: Token) -> Doc:
        """A token with the comments around it."""
        around = self.around[token]
        parts: list[Doc] = [Comment(text, own=True) for _, text in around.before]
        parts.append(Text(str(token)))
        if around.behind:
            parts.append(Comment(around.behind, own=False))
        return parts[0] if len(parts) == 1 else Concat(tuple(parts))

    def doc(self, node: Tree | Token, *, hang: int = 0) -> Doc:
        """Any expression or part of one. `hang` moves the operators of a broken sum to the left."""
        if isinstance(node, Token):
            return self.token(node)
        rule = str(node.data)
        match rule:
            case "pipe":
                return self.pipe(node)
            case "binary":
                return self.chain(node, hang)
            case "compare" | "choose":
                return self.spaced(node)
            case "bounded":
                return self.bounded(node)
            case "call" | "list" | "list_each" | "group" | "input":
                return self.bracketed(node)
            case "comprehension":
                return self.comprehension(node)
            case "keyword" | "pair" | "count" | "formal":
                return concat(*_joined([self.doc(child) for child in node.children], " "))
            case "fixed" | "tied":
                word, value = node.children
                return concat(self.doc(word), " ", self.doc(value))
            case _ if rule in _LISTS:
                return self.items(node)
            case _:
                return concat(*(self.doc(child) for child in node.children))

    def pipe(self, node: Tree) -> Doc:
        """`x -> f -> g`; where it does not fit, a line for each stage that takes several arguments."""
        head, *rest = node.children
        parts: list[Doc] = []
        for arrow, stage in zip(rest[::2], rest[1::2], strict=True):
            drawn = concat(self.doc(arrow), " ", self.doc(stage))
            if not parts:
                parts.append(drawn)
            elif _weighty(stage):
                parts += [Line(), drawn]
            else:
                parts.append(Group(concat(Line(), drawn)))
        start = self.doc(head)
        if flat_width(start) <= _LONGEST_HEAD:
            return Group(concat(start, " ", Align(concat(*parts))))
        return Group(Align(concat(start, Nest(concat(Line(), *parts), by=4))))

    def chain(self, node: Tree, hang: int) -> Doc:
        """`a + b - c`, broken before each operator of the loosest kind, or before none."""
        operands, operators = _chain(node)
        head, *others = (Align(self.doc(operand)) for operand in operands)
        rest = [
            concat(Line(), self.doc(operator), " ", operand)
            for operator, operand in zip(operators, others, strict=True)
        ]
        return Group(Align(concat(head, *rest), by=-hang))

    def spaced(self, node: Tree) -> Doc:
        """`a if c else b`, `a < b`: may be broken before each word but the first."""
        children = [self.doc(child) for child in node.children]
        if node.data == "compare":
            return concat(*_joined(children, " "))
        value, word, condition, other, alternative = children
        return Group(
            Align(concat(value, Line(), concat(word, " ", condition), Line(), concat(other, " ", alternative)))
        )

    def bounded(self, node: Tree) -> Doc:
        """`64 in 16..48 step 8`: blanks around words, none around the dots."""
        parts: list[Doc | str] = [self.doc(node.children[0])]
        for before, child in pairwise(node.children):
            tight = _is(child, "..") or _is(before, "..")
            # What precedes the dots is a bound or `in`.
            apart = not tight or _is(before, "in") or _is(child, "step")
            parts += [" "] * apart + [self.doc(child)]
        return concat(*parts)

    def comprehension(self, node: Tree) -> Doc:
        """`E for k in list`."""
        value, word, name, of, values = node.children
        tail = concat(*_joined([self.doc(part) for part in (word, name, of, values)], " "))
        # A pipeline breaks by its stages, and its last line ends with the list.
        piped = isinstance(value, Tree) and value.data == "pipe"
        return Group(Align(concat(self.doc(value), Text(" ") if piped else Line(), tail)))

    def bracketed(self, node: Tree) -> Doc:
        """What stands in brackets is aligned behind the opening one."""
        parts: list[Doc] = []
        opened = False
        for child in node.children:
            if opened and not _is(child, ")") and not _is(child, "]"):
                parts.append(self.aligned(child))
            elif _is(child, ":") or _is(child, "input"):
                parts += [self.doc(child), Text(" ")]
            else:
                parts.append(self.doc(child))
            opened = opened or _is(child, "(") or _is(child, "[")
        return concat(*parts)

    def aligned(self, node: Tree | Token) -> Doc:
        return Align(self.doc(node))

    def items(self, node: Tree) -> Doc:
        """Items with commas, as many in a line as fit."""
        return fill(self.entries(node))

    def entries(self, node: Tree) -> list[Doc]:
        """Items, each with its comma."""
        entries: list[Doc] = []
        for child in node.children:
            if _is(child, ","):
                entries[-1] = concat(entries[-1], self.doc(child))
            else:
                entries.append(self.doc(child))
        return entries


def _joined(parts: list[Doc], by: str) -> list[Doc | str]:
    return [piece for part in parts for piece in (by, part)][1:]


def _is(node: Tree | Token, text: str) -> bool:
    return isinstance(node, Token) and node == text


def _chain(node: Tree) -> tuple[list[Tree | Token], list[Tree | Token]]:
    """Operands and operators of a sum (or of a product), from left to right."""
    left, operator, right = node.children
    additive = operator in ("+", "-")
    inner = isinstance(left, Tree) and left.data == "binary" and (left.children[1] in ("+", "-")) == additive
    operands, operators = _chain(left) if inner else ([left], [])
    return [*operands, right], [*operators, operator]


def _weighty(stage: Tree | Token) -> bool:
    """Whether a stage of a pipeline is worth a line: a convolution, a call with several arguments, a repeat."""
    if not isinstance(stage, Tree):
        return False
    commas = (c for child in stage.children if isinstance(child, Tree) for c in child.children if _is(c, ","))
    convolves = stage.data == "call" and first(stage).endswith("conv")
    return stage.data == "binary" or convolves or (stage.data == "call" and next(commas, None) is not None)
