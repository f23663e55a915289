"""Names of released code, and the graph paths of the shipped specs that they stand for.

The method's inception ResNet and SPADE generators, and the ResNet generator of CycleGAN and pix2pix.
"""

import re
from collections.abc import Iterable

# Pattern of a released module name, and the path; {0}, {1} are its numbers.
_RESNET = (
    (r"down_sampling\.1", "stem.conv0"),
    (r"down_sampling\.2", "stem.norm0"),
    (r"down_sampling\.4", "stem.conv1"),
    (r"down_sampling\.5", "stem.norm1"),
    (r"down_sampling\.7", "stem.conv2"),
    (r"down_sampling\.8", "stem.norm2"),
    (r"features\.(\d+)\.res_ops\.(\d+)\.1\.0", "body.{0}.dense.{1}.conv0"),
    (r"features\.(\d+)\.res_ops\.(\d+)\.1\.1", "body.{0}.dense.{1}.norm0"),
    (r"features\.(\d+)\.res_ops\.(\d+)\.4", "body.{0}.dense.{1}.conv1"),
    (r"features\.(\d+)\.dw_ops\.(\d+)\.0\.0", "body.{0}.depth.{1}.conv0"),
    (r"features\.(\d+)\.dw_ops\.(\d+)\.0\.1", "body.{0}.depth.{1}.norm0"),
    (r"features\.(\d+)\.dw_ops\.(\d+)\.2\.0", "body.{0}.depth.{1}.dwconv0"),
    (r"features\.(\d+)\.dw_ops\.(\d+)\.2\.1", "body.{0}.depth.{1}.norm1"),
    (r"features\.(\d+)\.dw_ops\.(\d+)\.4", "body.{0}.depth.{1}.conv1"),
    (r"features\.(\d+)\.pw_bn", "body.{0}.norm0"),
    (r"up_sampling\.0", "head.deconv0"),
    (r"up_sampling\.1", "head.norm0"),
    (r"up_sampling\.3", "head.deconv1"),
    (r"up_sampling\.4", "head.norm1"),
    (r"up_sampling\.7", "head.conv0"),
)  # fmt: skip

# The names of blocks in the released SPADE generator. Up-sampling blocks narrow the image's
# width, and hold their main path in a statement of its own.
_SPADE_BLOCKS = {
    "head_0": ("head", "head"), "G_middle_0": ("mid0", "mid0"), "G_middle_1": ("mid1", "mid1"),
    "up_0": ("up0", "up0.main"), "up_1": ("up1", "up1.main"),
    "up_2": ("up2", "up2.main"), "up_3": ("up3", "up3.main"),
}  # fmt: skip
_SPADE_ENDS = {"fc": "fc.conv0", "fc_norm": "fc.norm0", "conv_img": "rgb.conv0"}
# Inside a block; the label path's last convs are bare, all other convs stand beside their norms.
_SPADE = (
    (r"(spade\.)?res_ops\.(\d+)\.0\.conv", "{main}{labels}.{0}.conv0"),
    (r"(spade\.)?res_ops\.(\d+)\.0\.norm", "{main}{labels}.{0}.norm0"),
    (r"(spade\.)?res_ops\.(\d+)\.1(?:\.conv)?", "{main}{labels}.{0}.conv1"),
    (r"(spade\.)?dw_ops\.(\d+)\.0\.conv", "{main}{labels}.{0}.conv2"),
    (r"(spade\.)?dw_ops\.(\d+)\.0\.norm", "{main}{labels}.{0}.norm1"),
    (r"(spade\.)?dw_ops\.(\d+)\.1\.conv", "{main}{labels}.{0}.dwconv0"),
    (r"(spade\.)?dw_ops\.(\d+)\.1\.norm", "{main}{labels}.{0}.norm2"),
    (r"(spade\.)?dw_ops\.(\d+)\.2(?:\.conv)?", "{main}{labels}.{0}.conv3"),
    (r"(spade)\.param_free_norm()", "{main}.norm0"),
    (r"(shortcut)\.0()", "{block}.norm0"),
    (r"(shortcut)\.1\.conv()", "{block}.conv0"),
)  # fmt: skip


# The original ResNet: one sequence, in which what follows the blocks is numbered on from them.
_ORIGINAL_BLOCK = r"model\.(\d+)\.conv_block\.(\d+)"
_ORIGINAL_STEM = {1: "stem.conv0", 2: "stem.norm0", 4: "stem.conv1", 5: "stem.norm1", 7: "stem.conv2", 8: "stem.norm2"}
_ORIGINAL_HEAD = {0: "head.deconv0", 1: "head.norm0", 3: "head.deconv1", 4: "head.norm1", 7: "head.conv0"}
_FIRST_BLOCK = 10


def graph_paths(released: Iterable[str]) -> dict[str, str]:
    """The graph paths of the module names of one network; other names stand for themselves."""
    names = tuple(released)
    blocks = [found for found in (re.fullmatch(_ORIGINAL_BLOCK, name) for name in names) if found]
    if not blocks:
        return {name: graph_path(name) for name in names}
    inside = {b[2] for b in blocks}
    dropout = "7" in inside or inside == {"1", "6"}  # the second half's norm, or convs alone
    original = _original(len({b[1] for b in blocks}), dropout=dropout)
    return {name: original.get(name, name) for name in names}


def _original(blocks: int, *, dropout: bool) -> dict[str, str]:
    """All names of the original ResNet; a dropout in its blocks moves their second half by one."""
    second = 6 if dropout else 5
    inside = {1: "conv0", 2: "norm0", second: "conv1", second + 1: "norm1"}
    after = _FIRST_BLOCK + blocks
    return (
        {f"model.{i}": path for i, path in _ORIGINAL_STEM.items()}
        | {
            f"model.{_FIRST_BLOCK + block}.conv_block.{i}": f"body.{block}.{path}"
            for block in range(blocks)
            for i, path in inside.items()
        }
        | {f"model.{after + i}": path for i, path in _ORIGINAL_HEAD.items()}
    )


def graph_path(released: str) -> str:
    """The graph path of a module name of the method's networks; any other name is returned as it is."""
    for pattern, path in _RESNET:
        found = re.fullmatch(pattern, released)
        if found:
            return path.format(*found.groups())
    name, _, rest = released.partition(".")
    if name not in _SPADE_BLOCKS:
        return _SPADE_ENDS.get(released, released)
    block, main = _SPADE_BLOCKS[name]
    for pattern, path in _SPADE:
        found = re.fullmatch(pattern, rest)
        if found:
            labels = ".gamma_beta" if found[1] else ""
            return path.format(found[2], block=block, main=main, labels=labels)
    return released
