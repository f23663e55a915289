"""Networks of released code, under their own weights: imported, ours compute the same images."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from catdsl.backend.importing import Imported, import_weights
from catdsl.diagnostics import CatError
from catdsl.project import Project, load
from catdsl.search.released import graph_paths
from tests.analysis.reference import ROOT, reference


def spec(name: str, **overrides: str) -> Project:
    return load(ROOT / "specs" / f"{name}.cat", overrides)


def small(name: str) -> tuple[Path, Tensor, Tensor]:
    """A reference file, its input and its output."""
    path = Path(reference(f"small_{name}.safetensors"))
    with safe_open(path, framework="pt") as file:
        return path, file.get_tensor("input"), file.get_tensor("output")


def computes(imported: Imported, x_BCHW: Tensor, wanted_BCHW: Tensor) -> None:
    with torch.no_grad():
        made_BCHW = imported.module.eval()(x_BCHW)
    torch.testing.assert_close(made_BCHW, wanted_BCHW, rtol=0, atol=1e-5)


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_the_inception_resnet(norm: str) -> None:
    path, x, wanted = small(f"resnet9_{norm}")
    imported = import_weights(spec("resnet_inception", ngf="8", norm_kind=norm).graph, path)
    assert imported.left_out == ("input", "output")
    assert imported.filled == ()
    computes(imported, x, wanted)


def test_the_inception_spade() -> None:
    """Its narrowest blocks are bare shortcuts, whose label paths the released file still carries."""
    path, x, wanted = small("spade")
    imported = import_weights(spec("spade_inception", ngf="2", classes="5", edges="false").graph, path)
    others = [name.removeprefix("weights.") for name in imported.left_out if name.startswith("weights.")]
    assert others
    assert {name.partition(".spade.")[0] for name in others} == {"up_2", "up_3"}
    computes(imported, x, wanted)


# ---- the original ResNet, written down as the released code numbers it ----


class OriginalBlock(nn.Module):
    def __init__(self, width: int, dropout: bool):
        super().__init__()
        half = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width)]
        again = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width)]
        self.conv_block = nn.Sequential(*half, nn.ReLU(), *([nn.Dropout(0.5)] if dropout else []), *again)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW + self.conv_block(x_BCHW)


class Original(nn.Module):
    """CycleGAN's generator: instance norm without scales, convs with biases."""

    def __init__(self, ngf: int, blocks: int, dropout: bool):
        super().__init__()
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(3, ngf, 7), nn.InstanceNorm2d(ngf), nn.ReLU()]
        for width in (ngf, 2 * ngf):
            layers += [nn.Conv2d(width, 2 * width, 3, 2, 1), nn.InstanceNorm2d(2 * width), nn.ReLU()]
        layers += [OriginalBlock(4 * ngf, dropout) for _ in range(blocks)]
        for width in (4 * ngf, 2 * ngf):
            up = nn.ConvTranspose2d(width, width // 2, 3, 2, 1, output_padding=1)
            layers += [up, nn.InstanceNorm2d(width // 2), nn.ReLU()]
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(ngf, 3, 7), nn.Tanh())

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return self.model(x_BCHW)


@pytest.mark.parametrize(("blocks", "dropout"), [(9, False), (6, False), (3, True)])
@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_the_original_resnet(blocks: int, dropout: bool, ending: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    original = Original(4, blocks, dropout).eval()
    path = tmp_path / f"latest_net_G.{ending}"
    state = {f"module.{name}": value for name, value in original.state_dict().items()}
    if ending == "pth":
        torch.save({"epoch": 3, "state_dict": state}, path)
    else:
        save_file(state, path)
    imported = import_weights(spec("resnet_original", ngf="4", blocks=str(blocks)).graph, path)
    assert imported.left_out == ()
    assert len(imported.filled) == 2 * (5 + 2 * blocks)
    x = torch.randn(2, 3, 24, 40)
    with torch.no_grad():
        computes(imported, x, original(x))


@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("legacy", [False, True])
def test_old_instance_norms_with_running_statistics(dropout: bool, legacy: bool, tmp_path: Path) -> None:
    """As PyTorch saved them before 0.4: they are no part of what the network computes of an image."""
    torch.manual_seed(0)
    original = Original(4, 6, dropout).eval()
    state = dict(original.state_dict())
    for name, module in original.named_modules():
        if isinstance(module, nn.InstanceNorm2d):
            state[f"{name}.running_mean"] = torch.randn(module.num_features)
            state[f"{name}.running_var"] = torch.full((module.num_features,), torch.inf)
            state[f"{name}.num_batches_tracked"] = torch.tensor(7)
    path = tmp_path / "latest_net_G.pth"
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)
    imported = import_weights(spec("resnet_original", ngf="4", blocks="6").graph, path)
    assert imported.left_out == ()
    assert len(imported.statistics) == 3 * (5 + 2 * 6)
    assert all(".running_" in name or name.endswith("num_batches_tracked") for name in imported.statistics)
    x = torch.randn(2, 3, 24, 40)
    with torch.no_grad():
        computes(imported, x, original(x))


def test_statistics_of_what_is_no_instance_norm_are_refused(tmp_path: Path) -> None:
    state = Original(4, 6, False).state_dict()
    for name in ("model.1.running_mean", "model.99.running_var"):
        torch.save({**state, name: torch.ones(4)}, tmp_path / "net.pth")
        refused(spec("resnet_original", ngf="4", blocks="6"), tmp_path / "net.pth")


def test_a_network_of_more_blocks_is_refused(tmp_path: Path) -> None:
    torch.save(Original(4, 9, False).state_dict(), tmp_path / "net.pth")
    for blocks in ("7", "6"):
        refused(spec("resnet_original", ngf="4", blocks=blocks), tmp_path / "net.pth")
    path, *_ = small("resnet9_instance")
    with pytest.raises(CatError, match="E605"):
        import_weights(spec("resnet_inception", ngf="8", blocks="7").graph, path)


def test_a_file_of_two_generators_is_refused(tmp_path: Path) -> None:
    states = [Original(4, 6, False).state_dict() for _ in range(2)]
    flat = {f"G_{letter}.{name}": v for letter, state in zip("AB", states, strict=True) for name, v in state.items()}
    for content in ({"netG_A": states[0], "netG_B": states[1]}, flat):
        torch.save(content, tmp_path / "both.pth")
        error = refused(spec("resnet_original", ngf="4", blocks="6"), tmp_path / "both.pth").diagnostics[0]
        assert "several networks" in error.message
        assert "G_A" in error.message


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    state = Original(4, 6, False).state_dict()
    state["model.1.weight"][0] = float("nan")
    torch.save(state, tmp_path / "net.pth")
    assert "model.1.weight" in str(refused(spec("resnet_original", ngf="4", blocks="6"), tmp_path / "net.pth"))


@pytest.mark.parametrize("dropout", [False, True])
def test_names_of_norms_alone_say_whether_there_is_dropout(dropout: bool) -> None:
    names = [n for n, m in Original(4, 3, dropout).named_modules() if isinstance(m, nn.InstanceNorm2d)]
    assert set(graph_paths(names).values()) == {
        *(f"stem.norm{i}" for i in range(3)), *(f"body.{b}.norm{i}" for b in range(3) for i in range(2)),
        "head.norm0", "head.norm1",
    }  # fmt: skip


# ---- what is refused ----


class Unknown:
    pass


def refused(project: Project, path: Path) -> CatError:
    with pytest.raises(CatError, match="E605") as found:
        import_weights(project.graph, path)
    return found.value


TINY = "generator g {\n    input x: image(3, 8, 8)\n    output x -> conv(4, 3) -> conv(3, 3)\n}"


def test_other_shapes_and_names_are_told(tmp_path: Path) -> None:
    good = load(TINY).teacher().state_dict()
    missing, more = dict(list(good.items())[:-1]), {**good, "fc.weight": torch.zeros(2)}
    for state, part in ((missing, "1 missing"), (more, "fc.weight"), ({"a.b": torch.zeros(1)}, "a.b")):
        torch.save(state, tmp_path / "net.pth")
        assert any(part in note for note in refused(load(TINY), tmp_path / "net.pth").diagnostics[0].notes)
    torch.save(good, tmp_path / "net.pth")
    other = refused(load(TINY.replace("4, 3", "5, 3")), tmp_path / "net.pth")
    assert any("of another shape" in note for note in other.diagnostics[0].notes)


def test_files_that_hold_no_weights(tmp_path: Path) -> None:
    torch.save(Unknown(), tmp_path / "code.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    (tmp_path / "text.pth").write_text("hello")
    (tmp_path / "text.safetensors").write_text("hello")
    (tmp_path / "empty.pth").write_bytes(b"")
    for name in ("code.pth", "list.pth", "text.pth", "text.safetensors", "empty.pth", "none.pth", "none.safetensors"):
        assert refused(load(TINY), tmp_path / name).diagnostics[0].help
