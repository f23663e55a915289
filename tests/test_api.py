"""What `import catdsl` offers: a project from a file or a text, its graph, cost, teacher and picture."""

import base64
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import catdsl

SPECS = Path(__file__).resolve().parents[1] / "specs"
TEXT = """
param n = 4
param wide = false
generator g {
    input x: image(3, 8, 8)
    y = x -> conv(2 * n if wide else n, 3) -> batch_norm -> relu
    output y -> conv(3, 3)
}
"""


def test_a_project_of_a_file() -> None:
    project = catdsl.load(SPECS / "resnet_inception.cat", {"ngf": 8, "norm_kind": "batch"})
    assert isinstance(project, catdsl.Project)
    assert project.graph.counts["stem.conv0"] == 8
    assert project.cost.params == sum(p.numel() for p in project.teacher().parameters())


@pytest.mark.parametrize(("overrides", "count"), [({}, 4), ({"n": 6}, 6), ({"n": "6", "wide": True}, 12)])
def test_values_of_parameters(overrides: dict[str, object], count: int) -> None:
    assert catdsl.load(TEXT, overrides).graph.counts["y.conv0"] == count


def test_a_list_as_a_value() -> None:
    text = TEXT.replace("param n = 4", "param n = [4, 5]").replace("2 * n if wide else n", "n[1]")
    assert catdsl.load(text, {"n": [1, 7]}).graph.counts["y.conv0"] == 7


def test_mistakes_tell_their_place() -> None:
    with pytest.raises(catdsl.CatError) as found:
        _ = catdsl.load(TEXT.replace("relu", "rleu")).graph
    assert "<text>:6:" in str(found.value)
    assert "error[E202]" in str(found.value)
    assert "`relu`" in str(found.value)


def test_notebooks_show_the_picture() -> None:
    html = catdsl.load(TEXT)._repr_html_()
    image = ElementTree.fromstring(html.replace('">', '"/>'))
    _, _, data = image.attrib["src"].partition("base64,")
    assert ElementTree.fromstring(base64.b64decode(data)).tag.endswith("svg")


def test_notebooks_show_mistakes() -> None:
    html = catdsl.load(TEXT.replace("relu", "rleu"))._repr_html_()
    assert html.startswith("<pre>")
    assert "there is no operator or block `rleu`" in html
    assert "-&gt;" in html


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_loads_nothing() -> None:
    loaded = _python("import sys, catdsl; print(*(m for m in sys.modules if m.startswith('catdsl')))")
    assert loaded.split() == ["catdsl"]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="lod"):
        catdsl.lod  # noqa: B018


@pytest.mark.parametrize("command", ["check", "info", "graph"])
def test_the_front_end_works_where_torch_is_not_installed(command: str) -> None:
    arguments = ["catdsl", command, str(SPECS / "spade_inception.cat")]
    code = (
        f"import sys; sys.modules['torch'] = None; sys.argv = {arguments}\n"
        "from catdsl.cli import main\ntry:\n    main()\nexcept SystemExit as stop:\n    assert stop.code == 0"
    )
    assert _python(code)
