"""The structure of a graph, found from the paths of its names and from who uses what."""

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from typing import Any

from catdsl.diagnostics import CatError
from catdsl.export.source.parts import Body, Chain, Many, Single, Step, skeleton
from catdsl.ir.graph import Graph, Node

_MOST_INPUTS = 3


def structured(graph: Graph) -> Body:
    """The whole network. Raises CatError E610 for an operator that the table of writings lacks."""
    finder = _Finder(graph)
    nodes = [node for node in graph.nodes if node.inputs]
    body = finder.body(nodes, "", graph.name)
    # Inputs keep their order, also where the first is used last.
    return replace(body, inputs=tuple(node.name for node in graph.inputs))


class _Finder:
    def __init__(self, graph: Graph):
        self.graph = graph
        self.skeletons: dict[int, str] = {}

    def body(self, nodes: Sequence[Node], prefix: str, label: str) -> Body:
        """The nodes as steps, those of a path of their own as parts of their own."""
        steps = self._ordered([self._step(path, group) for path, group in self._groups(nodes, prefix)])
        if steps is None:
            steps = [self._single(node) for node in nodes]
        inside = {node.name for node in nodes}
        output = self._outputs(inside)[0]
        steps = self._chained(steps, output)
        steps = self._summed(steps, output, prefix)
        steps = [self._alone(step, prefix) for step in self._repeated(steps, output, prefix)]
        inputs = dict.fromkeys(a for step in steps for a in step.args if a not in {s.result for s in steps})
        return Body(label, tuple(inputs), tuple(steps), output)

    def _groups(self, nodes: Sequence[Node], prefix: str) -> Iterator[tuple[str, Sequence[Node]]]:
        """Nodes by the next part of their path; what makes no good part of its own is taken apart."""
        found: dict[str, list[Node]] = {}
        for node in nodes:
            rest = node.name.removeprefix(prefix + "." if prefix else "")
            head = rest.split(".", 1)[0] if "." in rest else rest
            found.setdefault(f"{prefix}.{head}" if prefix else head, []).append(node)
        for path, group in found.items():
            if len(group) == 1:
                yield group[0].name, group
            elif not any(node.op.weights(node.attrs) for node in group):
                yield from ((node.name, [node]) for node in group)
            elif self._closed({n.name for n in group}):
                yield path, group
            else:
                yield from self._taken_apart(path, group)

    def _taken_apart(self, path: str, group: Sequence[Node]) -> Iterator[tuple[str, Sequence[Node]]]:
        pieces = self._connected(group)
        if len(pieces) == 1:
            yield from self._groups(group, path)
            return
        for piece in pieces:
            if len(piece) > 1 and self._closed({n.name for n in piece}):
                yield path, piece
            else:
                yield from self._groups(piece, path)

    def _closed(self, names: Set[str]) -> bool:
        """Whether nodes can be called as one: one result, few inputs, and no way out and in again."""
        inputs = {i for name in names for i in self.graph.node[name].inputs if i not in names}
        if len(self._outputs(names)) != 1 or len(inputs) > _MOST_INPUTS:
            return False
        after: set[str] = set()
        for node in self.graph.nodes:
            if node.name in names:
                if not after.isdisjoint(node.inputs):
                    return False
            elif any(i in names or i in after for i in node.inputs):
                after.add(node.name)
        return True

    def _outputs(self, names: Set[str]) -> list[str]:
        used = (n for n in names if n == self.graph.output or any(c.name not in names for c in self.graph.consumers[n]))
        return sorted(used)

    def _connected(self, group: Sequence[Node]) -> list[list[Node]]:
        """Nodes that hang together within the group, in the order of their first."""
        root = {node.name: node.name for node in group}

        def find(name: str) -> str:
            while root[name] != name:
                name = root[name]
            return name

        for node in group:
            for source in node.inputs:
                if source in root:
                    root[find(node.name)] = find(source)
        pieces: dict[str, list[Node]] = {}
        for node in group:
            pieces.setdefault(find(node.name), []).append(node)
        return list(pieces.values())

    def _step(self, path: str, group: Sequence[Node]) -> Step:
        if len(group) == 1:
            return self._single(group[0])
        body = self.body(group, path, path)
        if len(body.steps) == 1 and isinstance(body.steps[0].part, Chain):
            chain = replace(body.steps[0].part, label=path, numbered=path.rsplit(".", 1)[-1].isdigit())
            return Step(chain, body.steps[0].args, body.output)
        if len(body.steps) == 1:
            only = body.steps[0]
            return replace(only, part=replace(only.part, label=path)) if isinstance(only.part, Many) else only
        return Step(body, body.inputs, body.output)

    def _single(self, node: Node) -> Step:
        form, site = node.op.python, self.graph.site(node)
        if form is None:
            raise CatError.one(
                "E610", f"operator `{node.op.name}` of {node.name} cannot be written in Python yet", node.span,
                help="export to .onnx or .pt2",
            )  # fmt: skip
        made = form.module(site) if form.module else None
        return Step(Single(node, site, made, form.expression), node.inputs, node.name)

    def _ordered(self, steps: list[Step]) -> list[Step] | None:
        """Steps such that each comes after what it uses; None where two need each other."""
        made = {step.result for step in steps}
        order = {node.name: i for i, node in enumerate(self.graph.nodes)}
        waiting = sorted(steps, key=lambda step: order[step.result])
        done: list[Step] = []
        ready: set[str] = set()
        while waiting:
            step = next((s for s in waiting if all(a in ready or a not in made for a in s.args)), None)
            if step is None:
                return None
            waiting.remove(step)
            done.append(step)
            ready.add(step.result)
        return done

    def _chained(self, steps: list[Step], output: str) -> list[Step]:
        """Operators that only pass on to one another become chains, where one of them has weights."""
        uses = Counter(a for step in steps for a in step.args)
        follower = {step.args[0]: step for step in steps if len(step.args) == 1 and _fits_chain(step)}
        done: list[Step] = []
        taken: set[str] = set()
        for step in steps:
            if step.result in taken:
                continue
            run = [step]
            while _fits_chain(step) and uses[run[-1].result] == 1 and run[-1].result != output:
                following = follower.get(run[-1].result)
                if following is None:
                    break
                run.append(following)
            if len(run) == 1 or not any(s.part.owns for s in run):
                done.append(step)
                continue
            taken |= {s.result for s in run}
            chain = Chain(_stem(run[0].part.label), tuple(s.part for s in run))
            done.append(Step(chain, run[0].args, run[-1].result))
        return done

    def _summed(self, steps: list[Step], output: str, prefix: str) -> list[Step]:
        """Parts of one structure that are added up become a list; so does one that is left of a list."""
        uses = Counter(a for step in steps for a in step.args)
        maker = {step.result: step for step in steps}
        gone: set[str] = set()
        done: list[Step] = []
        for step in steps:
            if not (isinstance(step.part, Single) and step.part.node.op.name == "add"):
                done.append(step)
                continue
            args: list[str] = []
            for run in self._alike(step.args, maker, uses):
                if len(run) < 2:
                    args += run
                    continue
                made = [maker[a] for a in run]
                gone |= set(run)
                whole = len(run) == len(step.args)
                many = Many(self._label(made, prefix), tuple(s.part for s in made), None)
                args.append(step.result if whole else run[-1])
                done.append(Step(many, made[0].args, args[-1]))
            if args != [step.result]:
                done.append(replace(step, args=tuple(args)))
        kept = [s for s in done if s.result not in gone or isinstance(s.part, Many)]
        return kept

    def _alone(self, step: Step, prefix: str) -> Step:
        if isinstance(step.part, Chain) and step.part.numbered:
            return replace(step, part=Many(self._label([step], prefix), (step.part,), None))
        return step

    def _alike(self, args: Sequence[str], maker: dict[str, Step], uses: Counter[str]) -> Iterator[list[str]]:
        """Neighbours among the arguments that are parts of one structure and take the same."""
        run: list[str] = []
        for arg in args:
            step = maker.get(arg)
            fits = step is not None and isinstance(step.part, Chain | Body) and uses[arg] == 1
            if fits and run and self._same(maker.get(run[-1]), step):
                run.append(arg)
                continue
            if run:
                yield run
            run = [arg]
        if run:
            yield run

    def _same(self, first: Step | None, second: Step | None) -> bool:
        if first is None or second is None or not isinstance(first.part, Chain | Body):
            return False
        return first.args == second.args and self._skeleton(first.part) == self._skeleton(second.part)

    def _repeated(self, steps: list[Step], output: str, prefix: str) -> list[Step]:
        """Parts of one structure, one after the other, become a list."""
        uses = Counter(a for step in steps for a in step.args)
        done: list[Step] = []
        run: list[Step] = []
        for step in steps:
            if run and self._follows(run, step, uses, output):
                run.append(step)
                continue
            done += self._sequence(run, prefix)
            run = [step]
        return done + self._sequence(run, prefix)

    def _follows(self, run: list[Step], step: Step, uses: Counter[str], output: str) -> bool:
        last = run[-1]
        if not isinstance(step.part, Chain | Body) or not isinstance(last.part, Chain | Body):
            return False
        if uses[last.result] != 1 or last.result == output or len(step.args) != len(last.args):
            return False
        changed = [i for i, (a, b) in enumerate(zip(last.args, step.args, strict=True)) if a != b]
        return (
            len(changed) == 1
            and step.args[changed[0]] == last.result
            and self._skeleton(step.part) == self._skeleton(last.part)
            and (len(run) == 1 or run[-2].result == last.args[changed[0]])
        )

    def _sequence(self, run: list[Step], prefix: str) -> list[Step]:
        if len(run) < 2:
            return run
        along = run[1].args.index(run[0].result)
        many = Many(self._label(run, prefix), tuple(s.part for s in run), along)
        return [Step(many, run[0].args, run[-1].result)]

    def _skeleton(self, part: Any) -> str:
        return skeleton(part, self.skeletons)

    def _label(self, steps: Sequence[Step], prefix: str) -> str:
        """What a list is called in the program; where it has no name there, what it is made of."""
        rest = steps[0].part.label.removeprefix(prefix).strip(".")
        words = [w.rstrip("0123456789") for w in rest.split(".")]
        name = "_".join(w for w in words if w)
        chain = steps[0].part
        if name or not isinstance(chain, Chain):
            return name or "blocks"
        return "depthwise" if any(s.node.op.name == "dwconv" for s in chain.parts) else "dense"


def _fits_chain(step: Step) -> bool:
    return isinstance(step.part, Single) and step.part.made is not None and len(step.args) == 1


def _stem(label: str) -> str:
    return label.rstrip("0123456789")
