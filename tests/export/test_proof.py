"""Nothing but a network is run: names from elsewhere stay literals, and whatever else a file holds is refused."""

import ast
import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from catdsl.diagnostics import CatError, InternalError
from catdsl.diagnostics.printable import printable
from catdsl.export.network import Network, random_inputs
from catdsl.export.source import python_file
from catdsl.export.source.literals import checked_path, docstring, is_identifier
from catdsl.export.source.python_file import run_python, write_python
from catdsl.ir.code import literal
from catdsl.jobs.export import facts_of
from catdsl.jobs.module_source import module_source
from catdsl.project import load
from catdsl.semantics.library import SourceFile
from tests.export.networks import network
from tests.hostile_names import HOSTILE, in_a_file_name

SPEC = """
block part(x) { return x + (x -> conv(x.channels, 3) -> instance_norm -> relu -> conv(x.channels, 3)) }
generator g {
    input photo: image(3, 8, 8)
    y = photo -> conv(4, 3, stride = 2) -> relu
    z = y -> 2 * part
    output sum(z -> conv(4, k) -> relu -> conv(3, k) for k in [1, 3]) -> deconv(3, 4) -> tanh
}
"""


@pytest.fixture(scope="module")
def made() -> Network:
    return network(load(SPEC))


def inputs_of(network: Network) -> list[tuple[torch.Tensor, ...]]:
    return [random_inputs(network.graph, (8, 8), batch=1, seed=0)]


def written(network: Network, folder: Path) -> Path:
    path = folder / "made.py"
    write_python(network, path, half=False)
    return path


@pytest.mark.parametrize("name", HOSTILE)
def test_any_text_is_a_literal_and_nothing_else(name: str) -> None:
    written = literal(HOSTILE[name])
    assert ast.literal_eval(written) == HOSTILE[name]
    assert written.isascii()
    assert written.isprintable()
    (statement,) = ast.parse(f"{written}\n").body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Constant)


@pytest.mark.parametrize("name", HOSTILE)
def test_docstrings_and_names_hold_no_such_text(name: str) -> None:
    text = HOSTILE[name]
    try:
        written = docstring(text)
    except InternalError:
        written = docstring("plain")
        text = "plain"
    (statement,) = ast.parse(written).body
    assert ast.literal_eval(statement.value) == text  # type: ignore[attr-defined]
    assert is_identifier(HOSTILE[name]) == (name == "long")
    if name != "long":
        with pytest.raises(CatError, match="E610"):
            checked_path(HOSTILE[name])


def test_the_name_of_a_spec_runs_nothing(made: Network, tmp_path: Path) -> None:
    """The facts are taken as they are, without what `facts_of` makes of a name."""
    more = {f"catdsl.fact{i}": name.encode("utf-8", "replace").decode() for i, name in enumerate(HOSTILE.values())}
    facts = {**made.facts, **more, "catdsl.spec": HOSTILE["ends a docstring"]}
    path = written(replace(made, facts=facts), tmp_path)
    text = path.read_text(encoding="ascii")
    (about,) = [n for n in ast.parse(text).body if isinstance(n, ast.Assign)]
    assert ast.literal_eval(about.value) == facts
    assert len(run_python(path, inputs_of(made))) == 1
    with safe_open(path.with_suffix(".safetensors"), framework="pt") as held:
        assert held.metadata() == facts


@pytest.mark.parametrize("name", HOSTILE)
def test_facts_hold_printable_names(name: str) -> None:
    project = load(SPEC)
    shown = in_a_file_name(HOSTILE[name])
    files = (SourceFile(shown, project.spec.files[0].text), *project.spec.files[1:])
    project.__dict__["spec"] = replace(project.spec, files=files)
    facts = facts_of(project, project.graph)
    assert facts["catdsl.spec"] == printable(Path(shown).name)
    assert all(value.isprintable() for value in facts.values())


# What is put in the place of the first text, so that the file does more, or something else. Some of these
# are plain calls at the top, others hide where only evaluation would find them.
_DAMAGE = (
    ("\nimport torch\n", "\nimport os\nimport torch\n"),
    ("\nimport torch\n", "\nimport torch\nHARM\n"),
    ("\nimport torch\n", "\nimport torch, os\n"),
    ("from torch import Tensor, nn", "from torch import *"),
    ("from torch import Tensor, nn", "from torch import Tensor, nn, load as Path"),
    ('"catdsl.version": ', '"catdsl.version": HARM or '),
    ('"catdsl.version": ', '"catdsl.other": "x", "catdsl.version": '),
    ("ABOUT = {", "ABOUT = OTHER = {"),
    ("ABOUT = {", "HARM\nABOUT = {"),
    ("}\n\n\nclass", "}\nHARM\n\n\nclass"),
    ("}\n\n\nclass", '}\nif HARM:\n    pass\n\n\nclass'),
    ("(nn.Module):", "(nn.Module, metaclass=HARM):"),
    ("(nn.Module):", "(HARM or nn.Module):"),
    ("(nn.Module):\n", "(nn.Module):\n    HARM\n"),
    ("\n\nclass", "\n\n@HARM\nclass"),
    ("    def forward(", "    x = HARM\n\n    def forward("),
    ("    def forward(", "    @HARM\n    def forward("),
    ("    def forward(", "    def __getattr__(self, x: Tensor) -> Tensor:\n        return x\n\n    def forward("),
    ("x: Tensor)", "x: HARM)"),
    ("x: Tensor)", "x: Tensor = HARM)"),
    ("x: Tensor)", "x: Tensor, *more: HARM)"),
    (") -> Tensor:", ") -> HARM:"),
    ("super().__init__()", "super().__init__(HARM)"),
    ("super().__init__()", "super().__init__()\n        HARM"),
    ("super().__init__()", "super().__init__()\n        self.forward = self.eval"),
    ("super().__init__()", "super().__init__()\n        self.__class__ = nn.Module"),
    ("super().__init__()", "super().__init__()\n        import os"),
    ("        return ", "        HARM\n        return "),
    ("        return ", "        global x\n        return "),
    ("        return ", "        return x.__class__ or "),
    ("        return ", "        return [HARM for x in x] or "),
    ("        return ", "        return (lambda: HARM)() or "),
    ("        return ", "        return torch.load('x') or "),
    ("        return ", "        return torch.ops.load_library('x') or "),
    ("        return ", "        return x.apply_('x') or "),
    ("        return ", "        return f'{HARM}' or "),
    ("        return ", "        return (HARM := x) or "),
    ("        return ", "        return open or "),
    ("nn.Conv2d(", "nn.Module.__subclasses__("),
    ("nn.Conv2d(", "eval("),
    ("nn.Conv2d(", "nn.Conv2d(**"),
    ("nn.ReLU()", "nn.ReLU() or HARM"),
    ("self.y(", "self.eval("),
    ('    """The network with', '    HARM\n    """The network with'),
    ("    tensors = load_file(", "    tensors = eval("),
    ("    network.load_state_dict(tensors)", "    network.load_state_dict(tensors) or HARM"),
    ("    return network.eval()\n", "    return network.eval()\n\n\nHARM\n"),
    ("def main()", "HARM\n\n\ndef main()"),
    ('if __name__ == "__main__":', "if HARM:"),
    ('if __name__ == "__main__":\n    main()\n', 'if __name__ == "__main__":\n    main()\nHARM\n'),
    ("convert(", "convert(HARM or "),
    ("def load(", "def load_file(x: Tensor) -> nn.Sequential:\n    return HARM\n\n\ndef load("),
    ("class G(", "class F("),
    ("network = G()", "network = Part()"),
    ("a generator of images", "a generator of harm"),
    ('"""', '#"""'),
    ("\n\nclass", "\n\n# coding: utf-7\nclass"),
    ("class G(", "class \N{FULLWIDTH LATIN CAPITAL LETTER G}("),
    ("\n\nclass", "\n\n\x0cclass"),
    ("\n\nclass", "\n\n)class"),
    ("        return ", "        return " + "(" * 3000 + ")" * 3000 + " or "),
)  # fmt: skip


@pytest.mark.parametrize("case", range(len(_DAMAGE)))
def test_whatever_else_a_file_holds_is_refused_and_not_run(case: int, made: Network, tmp_path: Path) -> None:
    path, harm = written(made, tmp_path), tmp_path / "harm"
    text = path.read_text()
    before, after = _DAMAGE[case]
    assert before in text
    after = after.replace("HARM", f"__import__('pathlib').Path({str(harm)!r}).touch()")
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(CatError, match=r"E609.*the Python file was not run: "):
        run_python(path, inputs_of(made))
    assert not harm.exists()


def test_such_damage_would_have_run(made: Network, tmp_path: Path) -> None:
    path, harm = written(made, tmp_path), tmp_path / "harm"
    path.write_text(path.read_text().replace("x: Tensor)", f"x: open({str(harm)!r}, 'w'))", 1))
    spec = importlib.util.spec_from_file_location("damaged", path)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert harm.exists()


@pytest.mark.parametrize("key", ["catdsl.spec", "catdsl.output", None])
def test_a_file_with_weights_of_other_facts_is_refused(key: str | None, made: Network, tmp_path: Path) -> None:
    path = written(made, tmp_path)
    facts = dict(made.facts) | ({key: "other"} if key else {"more": "x"})
    other = tmp_path / "other"
    other.mkdir()
    path.with_suffix(".safetensors").write_bytes(
        written(replace(made, facts=facts), other).with_suffix(".safetensors").read_bytes()
    )
    with pytest.raises(CatError, match="is another than was meant"):
        run_python(path, inputs_of(made))


_ODD = ("__class__", "__debug__", "__x", "_", "__", "_1", "exec", "print", "eval", "None_", "training", "forward",
        "ABOUT", "T_destination", "exception", "len", "open", "type", "match", "case", "x", "y", "weights")  # fmt: skip


@pytest.mark.parametrize("word", _ODD)
@pytest.mark.parametrize(
    "text",
    [
        "generator g { input q{0}: image(3, 8, 8)\n {0} = q{0} -> conv(4, 3) -> norm -> relu\n"
        "output concat({0}, q{0}) -> conv(3, 3) }",
        "generator {0} { input {0}: image(3, 8, 8)\n output {0} -> conv(3, 3) -> tanh }",
        "block {0}(q) { return q + (q -> conv(4, 3) -> relu -> conv(q.channels, 3)) }\n"
        "generator g { input p: image(3, 8, 8)\n v{0} = p -> 3 * {0}\n output {0}(v{0}) -> conv(3, 3) }",
    ],
    ids=["a statement", "a generator and its input", "a block"],
)
def test_odd_names_of_programs_are_names_in_the_file(text: str, word: str, tmp_path: Path) -> None:
    try:
        project = load(text.replace("{0}", word))
        made = network(project)
    except CatError as error:
        pytest.skip(f"the language has another use for the word: {error}")
    assert "def forward(" in module_source(project, made.module.code)
    path = written(made, tmp_path)
    python_file._prove(path)
    spec = importlib.util.spec_from_file_location("odd", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.load()(*inputs_of(made)[0])
    torch.testing.assert_close(found, made.module(*inputs_of(made)[0]), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "code",
    [
        "def forward(self, x : torch.Tensor):\n    return x\nopen('x')\n",
        "def forward(self, x : torch.Tensor = open('x')):\n    return x\n",
        "def forward(self, x : open('x')):\n    return x\n",
        "@open\ndef forward(self, x : torch.Tensor):\n    return x\n",
        "def forward(self, x : torch.Tensor):\n    return open(x)\n",
        "def forward(self, x : torch.Tensor):\n    return x.__class__\n",
        "def forward(self, x : torch.Tensor):\n    import os\n    return x\n",
        "import os\ndef forward(self, x : torch.Tensor):\n    return x\n",
        "SPEC = 1\ndef forward(self, x : torch.Tensor):\n    return x\n",
        "def forward(self, x : torch.Tensor):\n    return (lambda: x)()\n",
        "x = 1",
    ],
)
def test_a_module_of_build_holds_a_forward_function_alone(code: str) -> None:
    project = load(SPEC)
    assert module_source(project, "def forward(self, x : torch.Tensor):\n    return torch.tanh(x)\n")
    with pytest.raises(InternalError):
        module_source(project, code)
