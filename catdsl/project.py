"""One compilation: a file or a text, and everything that can be known of it, each worked out once."""

from collections.abc import Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from catdsl.analysis.cost import Cost, CostModel, cost_model
from catdsl.analysis.memory import peak_memory
from catdsl.analysis.stride import stride_misfit
from catdsl.diagnostics import CatError, Diagnostic, Severity
from catdsl.diagnostics.render import render_text
from catdsl.ir.counts import with_counts
from catdsl.ir.graph import Graph
from catdsl.ops import BY_NAME
from catdsl.search.budget import Budget, budget_of_settings, no_times, parse_budget
from catdsl.semantics.elaborate import Spec, elaborate
from catdsl.semantics.library import SourceFile, read_spec
from catdsl.semantics.settings import SpecSettings
from catdsl.semantics.student import StudentProgram, student_counts, student_of
from catdsl.syntax.parse import parse

if TYPE_CHECKING:
    from torch.fx import GraphModule

    from catdsl.search.latency import OperatorTimes
    from catdsl.search.plan import Plan
    from catdsl.search.scores import Scores
    from catdsl.view.diff import Diff


class Project:
    """A spec or a student program. Properties raise CatError with every mistake of the text.

    `overrides` are values of parameters, as Python values or as they are written in a spec
    (`{"ngf": 32}`, `{"norm_kind": "batch"}`). In notebooks a project is shown as its picture.
    """

    def __init__(self, source: SourceFile, overrides: Mapping[str, object] | None = None):
        self.source = source
        self.overrides = {name: _written(value) for name, value in (overrides or {}).items()}

    @cached_property
    def student(self) -> StudentProgram | None:
        """What a student program says; None for a spec."""
        with self._sources():
            return student_of(parse(self.source.text, self.source.shown), self.source)

    @cached_property
    def spec(self) -> Spec:
        """The checked spec; of a student program, the spec it came from."""
        student = self.student
        if student is None:
            return elaborate(self.source, self.overrides)
        return elaborate(student.spec, {**student.overrides, **self.overrides})

    @property
    def teacher_graph(self) -> Graph:
        """The generator at the teacher's counts."""
        return self.spec.network

    @cached_property
    def student_counts(self) -> Mapping[str, int] | None:
        """The counts of a student program, None for a spec."""
        return None if self.student is None else self._checked_student[0]

    @cached_property
    def graph(self) -> Graph:
        """The network that this file describes: a spec's teacher, or a student."""
        if self.student_counts is None:
            return self.teacher_graph
        return self.student_at(self.student_counts)

    @cached_property
    def warnings(self) -> tuple[Diagnostic, ...]:
        found = (*self.spec.warnings, *self._size_warnings)
        return found if self.student is None else (*found, *self._checked_student[1])

    @cached_property
    def _size_warnings(self) -> tuple[Diagnostic, ...]:
        """What `train` will say of the size that inputs are trained at."""
        graph = self.teacher_graph
        if graph.kind != "generator" or len(graph.inputs) != 1:
            return ()
        first = graph.inputs[0].type
        size = self.settings.data.crop or (first.height, first.width)
        found = stride_misfit(graph, size, Severity.WARNING)
        return () if found is None else (found,)

    @property
    def settings(self) -> SpecSettings:
        return self.spec.settings

    @property
    def sources(self) -> dict[str, str]:
        """The texts that diagnostics point into."""
        return {**self.spec.sources, self.source.shown: self.source.text}

    @cached_property
    def cost_model(self) -> CostModel:
        """The cost of the teacher as a function of its widths."""
        return cost_model(self.teacher_graph)

    @cached_property
    def cost(self) -> Cost:
        """What `graph` costs at the declared input size."""
        return cost_model(self.graph).at()

    def student_at(self, counts: Mapping[str, int]) -> Graph:
        """The student's graph at chosen counts. Raises CatError E308 where nothing of the output is left."""
        with self._sources():
            return with_counts(self.teacher_graph, counts, arrange=BY_NAME["arrange"])

    def budget(self, text: str | None, count: str | None, times: "OperatorTimes | None" = None) -> Budget:
        """The budget given outside, or else the spec's. Raises CatError E402, E406.

        `times` are those of a device, for shares of the teacher's latency.
        """

        def metered(metric: str) -> int:
            if metric == "memory":
                return peak_memory(self.teacher_graph).bytes
            if times is None:
                raise CatError((no_times(),))
            return times.of(self.teacher_graph)

        with self._sources():
            teacher, settings = self.cost_model.teacher, self.settings.budget
            if text is not None:
                return parse_budget(text, count or "exact", teacher, metered)
            return budget_of_settings(settings.model_copy(update={"count": count} if count else {}), teacher, metered)

    def plan(self, scores: "Scores", budget: Budget, times: "OperatorTimes | None" = None) -> "Plan":
        """The student within a budget. Raises CatError E401, E403, E406."""
        # numpy takes a tenth of a second to load, which checks and costs do without.
        from catdsl.search.plan import find_plan

        with self._sources():
            search = self.settings.search
            return find_plan(self.cost_model, scores, budget, group=search.group, policy=search.policy, times=times)

    def scores(self, weights: "Scores", *, seed: int = 0) -> "Scores":
        """What `search { score }` asks for, from the teacher's weights by name. `seed` is that of `random`."""
        from catdsl.search.magnitude import filter_scores, random_scores
        from catdsl.search.scores import scales_of

        search = self.settings.search
        match search.score:
            case "l1" | "l2":
                return filter_scores(self.teacher_graph, weights, power=int(search.score[1]), group=search.group)
            case "random":
                return random_scores(self.teacher_graph, seed)
        return scales_of(weights, self.teacher_graph)

    def teacher(self, *, seed: int = 0) -> "GraphModule":
        """The teacher as a torch module, with initial weights by the spec's style."""
        from catdsl.backend.initial import initialize
        from catdsl.backend.module import build_module

        module = build_module(self.teacher_graph)
        initialize(module, self.teacher_graph, self.settings.style, seed)
        return module

    def diff(self, other: "Project | Graph") -> "Diff":
        """What `graph` has changed against another network: its teacher, another student, any other."""
        from catdsl.view.diff import Diff

        before = other.graph if isinstance(other, Project) else other
        source = other.source.shown if isinstance(other, Project) else other.name
        return Diff(before, self.graph, f"{source} → {self.source.shown}")

    def svg(self) -> str:
        """The picture of `graph`; a student is drawn within its teacher."""
        from catdsl.view.diff import Diff
        from catdsl.view.facts import costed_facts
        from catdsl.view.svg import render_picture

        if self.student is not None:
            return Diff(self.teacher_graph, self.graph, self.source.shown).svg()
        return render_picture(costed_facts(self.graph), title=self.graph.name, subtitles=(self.source.shown,))

    def __repr__(self) -> str:
        return f"<Project {self.source.shown}>"

    def _repr_html_(self) -> str:
        """The picture for notebooks, or the mistakes of the text."""
        from catdsl.view.notebook import image

        try:
            return image(self.svg(), f"graph of {self.graph.name}")
        except CatError as error:
            return f"<pre>{escape(render_text(error.diagnostics, error.sources))}</pre>"

    def _sources(self) -> "_WithSources":
        return _WithSources(self)

    @cached_property
    def _checked_student(self) -> tuple[dict[str, int], tuple[Diagnostic, ...]]:
        assert self.student is not None
        with self._sources():
            return student_counts(self.student, self.teacher_graph, self.spec.files)


class _WithSources:
    """Adds the project's texts to errors that pass, so that they can be shown with their place."""

    def __init__(self, project: Project):
        self.project = project

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, CatError):
            return
        texts = {self.project.source.shown: self.project.source.text}
        if "spec" in self.project.__dict__:
            texts |= self.project.spec.sources
        error.sources = {**texts, **error.sources}


def _written(value: object) -> str:
    """A Python value as the language writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return str(value)


def load(path_or_text: str | Path, overrides: Mapping[str, object] | None = None) -> Project:
    """A project from a file, or from a text (anything with a line break or a brace).

    `overrides` are values of parameters: `load("specs/resnet_inception.cat", {"ngf": 32})`.

    Raises CatError E210 where the file cannot be read.
    """
    text = str(path_or_text)
    if isinstance(path_or_text, str) and any(c in text for c in "{}\n"):
        return Project(SourceFile("<text>", text), overrides)
    return Project(read_spec(Path(path_or_text)), overrides)
