"""Graphs survive their text and JSON forms, teachers and students alike; the generator reaches everything."""

import json
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catdsl.diagnostics import CatError
from catdsl.ir.counts import with_counts
from catdsl.ir.graph import Graph
from catdsl.ir.serial import from_json, to_json
from catdsl.ir.text import from_text, to_text
from catdsl.ops import ALL, BY_NAME
from catdsl.project import Project, load
from tests.examples import examples
from tests.properties.programs import counts_of, programs, texts


def _assert_survives(graph: Graph) -> None:
    text = to_text(graph)
    assert from_text(text, BY_NAME) == graph
    assert to_text(from_text(text, BY_NAME)) == text
    assert from_json(json.loads(json.dumps(to_json(graph))), BY_NAME) == graph


@given(programs(), st.data())
@settings(max_examples=examples(100))
def test_text_and_json_round_trip(project: Project, data: st.DataObject) -> None:
    graph = project.graph
    _assert_survives(graph)
    try:
        student = with_counts(graph, counts_of(data.draw, graph), arrange=BY_NAME["arrange"])
    except CatError:
        return
    _assert_survives(student)


def test_random_programs_reach_every_operator_and_are_mostly_legal() -> None:
    operators: Counter[str] = Counter()
    students: Counter[str] = Counter()
    legal: list[bool] = []

    @given(texts(), st.data())
    @settings(max_examples=200, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def collect(text: str, data: st.DataObject) -> None:
        project = load(text)
        try:
            graph = project.graph
            legal.append(True)
            operators.update({n.op.name for n in graph.nodes})
            student = with_counts(graph, counts_of(data.draw, graph), arrange=BY_NAME["arrange"])
        except CatError:
            legal.append(False)
            return
        students.update({n.op.name for n in student.nodes})
        students["smaller"] += len(student.nodes) < len(graph.nodes)

    collect()
    assert {op.name for op in ALL if op.in_language} - set(operators) == set()
    assert {"add", "mul"} <= set(operators)
    # Partly absent sums need `arrange`; vanished branches leave fewer nodes.
    assert students["arrange"] >= 5
    assert students["smaller"] >= 50
    assert sum(legal) > 0.8 * len(legal)
