"""The programs of the language's tour parse and mean what is said of them."""

from pathlib import Path

import pytest

from catdsl.ir.op import Absence
from catdsl.project import load
from tests.semantics.checking import generator, graph_of, widths_of

BRANCHES = ("dense.0", "dense.1", "dense.2", "depth.0", "depth.1", "depth.2")


@pytest.fixture
def specs(root: Path) -> Path:
    return root / "specs"


def test_resnet_names(specs: Path) -> None:
    graph = load(specs / "resnet_inception.cat").graph
    assert [n.name for n in graph.nodes if n.name.startswith("stem")] == [
        "stem.conv0", "stem.norm0", "stem.relu0", "stem.conv1", "stem.norm1", "stem.relu1",
        "stem.conv2", "stem.norm2", "stem.relu2",
    ]  # fmt: skip
    block = [n.name for n in graph.nodes if n.name.startswith("body.0.")]
    for i in range(3):
        assert block[4 * i : 4 * i + 4] == [f"body.0.dense.{i}.{op}" for op in ("conv0", "norm0", "relu0", "conv1")]
    assert block[-3:] == ["body.0.add0", "body.0.norm0", "body.0.add1"]
    assert graph.output == "head.tanh0"
    assert [t.label for t in graph.taps] == ["stem", "body[2]", "body[5]", "body[8]"]
    assert [t.node for t in graph.taps] == ["stem.relu2", "body.2.add1", "body.5.add1", "body.8.add1"]


def test_resnet_widths(specs: Path) -> None:
    widths = widths_of(load(specs / "resnet_inception.cat").graph)
    assert widths.pop("head.conv0") == (3, 3, 3, 1)
    assert widths == {
        "stem.conv0": (64, 16, 64, 1), "stem.conv1": (128, 16, 128, 1), "stem.conv2": (256, 16, 256, 1),
        **{f"body.{i}.{branch}.conv0": (42, 0, 42, 1) for i in range(9) for branch in BRANCHES},
        "head.deconv0": (128, 16, 128, 1), "head.deconv1": (64, 16, 64, 1),
    }  # fmt: skip


@pytest.mark.parametrize(("overrides", "biases"), [({}, set()), ({"norm_kind": "batch"}, {"stem", "body", "deconv"})])
def test_bias_auto(specs: Path, overrides: dict[str, str], biases: set[str]) -> None:
    """Everywhere before instance norms; nowhere where all leads through sums into a batch norm."""
    graph = load(specs / "resnet_inception.cat", overrides).graph
    convs = [n for n in graph.nodes if "bias" in n.attrs and "norm" not in n.op.name]
    without = {n.name for n in convs if not n.attrs["bias"]}
    if not biases:
        assert without == set()
        return
    # The last conv leads into tanh. A branch's last conv leads through two sums into the norm.
    assert {n.name for n in convs} - without == {"head.conv0"}


def test_settings_of_the_tour() -> None:
    text = generator("output x -> conv(3, 3)") + (
        "train  { system = cyclegan, epochs = 500, decay_epochs = 500, batch = 32, lr = 2e-4, gan = lsgan, "
        "cycle = 10, identity = 0.5 }\n"
        "data   { kind = unpaired, load = 286, crop = 256, flip = true }\n"
    )
    settings = load(text).settings
    assert (settings.train.system, settings.train.epochs, settings.train.cycle) == ("cyclegan", 500, 10)
    assert (settings.data.kind, settings.data.load, settings.data.crop) == ("unpaired", (286, 286), (256, 256))


def test_spade_costs(specs: Path) -> None:
    cost = load(specs / "spade_inception.cat").cost
    assert (cost.params, cost.exact, cost.paper) == (55_592_325, 109_773_614_880, 109_773_614_880)


def test_spade_widths(specs: Path) -> None:
    graph = load(specs / "spade_inception.cat").graph
    chosen = widths_of(graph)
    assert chosen["fc.conv0"] == (1024, 256, 1024, 16)
    assert chosen["rgb.conv0"] == (3, 3, 3, 1)
    searched = {name for name, (_, low, high, _) in chosen.items() if low < high}
    assert len(searched) == 85
    # All but the stream's are branches that may vanish.
    assert {chosen[n][1] for n in searched - {"fc.conv0"}} == {0}
    ties = {w.name: str(w.tie) for w in graph.widths if w.tie}
    assert ties == {
        "up0.main.0.conv1": "1/2 * fc.conv0", "up1.main.0.conv1": "1/4 * fc.conv0",
        "up2.main.0.conv1": "1/8 * fc.conv0", "up3.main.0.conv1": "1/16 * fc.conv0",
    }  # fmt: skip


def test_spade_unifies_and_splits(specs: Path) -> None:
    """The stream is one width, and gamma and beta are each as wide as the tensor that they modulate."""
    graph = load(specs / "spade_inception.cat").graph
    one = graph.node["fc.norm0"].type.channels
    assert [s.width for s in one] == ["fc.conv0"]
    for name in ("head.add3", "head.gamma_beta.split0", "head.gamma_beta.split1", "mid1.add3"):
        assert graph.node[name].type.channels == one
    assert [s.width for s in graph.node["head.gamma_beta.add2"].type.channels] == ["fc.conv0", "fc.conv0"]
    assert graph.node["up0.conv0"].type.channels == graph.node["up0.main.add2"].type.channels


@pytest.mark.parametrize(("ngf", "stream"), [("2", 32), ("1", 16)])
def test_small_spade(specs: Path, ngf: str, stream: int) -> None:
    """A low bound or a step above the teacher's count is no error, and a branch of 0 is absent."""
    project = load(specs / "spade_inception.cat", {"ngf": ngf})
    graph = project.graph
    assert widths_of(graph)["fc.conv0"] == (stream, stream, stream, 1)
    assert project.cost.params > 0
    assert all(w.count > 0 for w in graph.widths)
    # mid = x.channels // 2 // 6 is 0 in the last block: its branches are gone, its shortcut stays.
    assert "up3.main.0.conv0" not in graph.width
    assert not any(n.name.startswith("up3.main") and n.op.name == "conv" for n in graph.nodes)
    assert "up3.conv0" in graph.node
    assert not any(n.op.absence is Absence.ARRANGES for n in graph.nodes)


def test_an_absent_branch_leaves_the_identity() -> None:
    block = "block b(x, mid) { return x + norm(x -> conv(mid in 0.., 3) -> norm -> conv(x.channels, 3)) }\n"
    body = "a = x -> conv(8, 3)\noutput a -> 3 * b(%d) -> conv(3, 1)"
    assert [n.op.name for n in graph_of(body % 0, block).nodes] == ["input", "conv", "conv"]
    assert len(graph_of(body % 2, block).nodes) == 18


def test_modulate_with_absent_parts_is_its_input() -> None:
    graph = graph_of(
        "a = x -> conv(8, 3)\n"
        "gamma, beta = x -> conv(0 in 0.., 3) -> conv(16, 3) -> split(2)\n"
        "output modulate(a, gamma, beta) -> conv(3, 1)"
    )
    assert [n.op.name for n in graph.nodes] == ["input", "conv", "conv"]


def test_sizes_follow_the_input(specs: Path) -> None:
    graph = load(specs / "spade_inception.cat").graph
    resize = graph.node["fc.resize0"]
    assert resize.attrs["to"] == (("//", ("height", 0), 64), ("//", ("width", 0), 64))
    assert (resize.type.height, resize.type.width) == (4, 8)


def test_student_of_the_tour(specs: Path, tmp_path: Path) -> None:
    (tmp_path / "resnet_inception.cat").write_text((specs / "resnet_inception.cat").read_text("utf-8"))
    student = tmp_path / "student.cat"
    student.write_text(
        'student of "resnet_inception.cat" sha256 "9f2c" {\n'
        "    set    { ngf = 64, norm_kind = instance }\n"
        "    widths { stem.conv0 = 16, stem.conv1 = 30, stem.conv2 = 58, "
        "body.0.dense.0.conv0 = 9, body.0.dense.1.conv0 = 0 }\n}\n"
    )
    project = load(student)
    counts = project.graph.counts
    assert [counts[n] for n in ("stem.conv0", "stem.conv1", "stem.conv2", "body.0.dense.0.conv0")] == [16, 30, 58, 9]
    assert "body.0.dense.1.conv0" not in counts
    assert counts["body.0.dense.2.conv0"] == 42
    assert [w.code for w in project.warnings] == ["E405"]
