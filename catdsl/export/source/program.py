"""What stands around the network in an exported Python file: loading its weights, and translating an image."""

import re

from catdsl.analysis.sizes import TOO_SMALL, least_picture, least_words, size_rule
from catdsl.ir.graph import Graph, Node

LOAD = '''def load(weights: str | Path | None = None) -> {name}:
    """The network with the weights that lie beside this file, ready for inference."""
    tensors = load_file(weights or Path(__file__).with_suffix(".safetensors"))
    network = {name}()
    network.load_state_dict(tensors)
    return network.eval()
'''

_IMAGE = '''

def main() -> None:
    """Translate an image: python FILE.py INPUT OUTPUT (needs pillow and numpy)."""
    import numpy as np
    from PIL import Image, ImageOps

    if len(sys.argv) != 3:
        sys.exit(f"usage: python {{sys.argv[0]}} INPUT OUTPUT")
    # Rasters alone: for some other formats Pillow starts a program.
    formats = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000")
    opened = Image.open(sys.argv[1], formats=formats)
    image = ImageOps.exif_transpose(opened).convert("{mode}")
    pixels = torch.from_numpy(np.array(image)).float(){channels}
    x = pixels[None] / 127.5 - 1
{rest}'''

_LABELS = '''

def main() -> None:
    """Paint a label map: python FILE.py LABELS OUTPUT (needs pillow and numpy)."""
    import numpy as np
    from PIL import Image

    if len(sys.argv) != 3:
        sys.exit(f"usage: python {{sys.argv[0]}} LABELS OUTPUT")
    # Rasters alone: for some other formats Pillow starts a program.
    formats = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000")
    # Each pixel holds the index of its class; what is no class stays empty.
    opened = Image.open(sys.argv[1], formats=formats)
    labels = torch.from_numpy(np.array(opened)).long()
    classes = torch.arange({classes})[:, None, None]
    x = (labels == classes).float()[None]
{rest}'''

_REST = """    height, width = x.shape[2:]
    if height < {low} or width < {narrow}:
        takes = "{takes}"
        problem = f"{small}"
        sys.exit(f"{{sys.argv[1]}} {{problem}}")
    # Sides become multiples of {stride}, and what was added is cut off again.
    x = F.pad(x, (0, -width % {stride}, 0, -height % {stride}), mode="replicate")
    with torch.no_grad():
        y = load()(x)
{proportion}    y = y[:, :, {height}, {width}]
    pixels = ((y[0].clamp(-1, 1) + 1) * 127.5).round().byte()
    Image.fromarray(pixels{picture}.numpy()).save(sys.argv[2])


if __name__ == "__main__":
    main()
"""

_SMALL = TOO_SMALL.format(height="{height}", width="{width}", takes="{takes}")

_PROPORTION = """    height = -(-height * y.shape[2] // x.shape[2])
    width = -(-width * y.shape[3] // x.shape[3])
"""


def _ending() -> re.Pattern[str]:
    """Every text that `LOAD` and `main_text` can make: but for a name and whole numbers, there is no choice."""
    side = r":{0}|: {0} \* \d+"
    holes = {
        "Q1Q": r"\d+", "Q2Q": f"(?:{re.escape(_PROPORTION)})?", "Q3Q": side.format("height"),
        "Q4Q": side.format("width"), "Q5Q": r"\.permute\(1, 2, 0\)|\[0\]", "Q6Q": "RGB|L",
        "Q7Q": r"\.permute\(2, 0, 1\)|\[None\]", "Q8Q": r"\d+", "Q9Q": "[A-Za-z0-9 ,.]+",
    }  # fmt: skip
    rest = _REST.format(
        low="Q1Q", narrow="Q1Q", takes="Q9Q", small=_SMALL,
        stride="Q1Q", proportion="Q2Q", height="Q3Q", width="Q4Q", picture="Q5Q",
    )  # fmt: skip
    mains = (_IMAGE.format(mode="Q6Q", channels="Q7Q", rest=rest), _LABELS.format(classes="Q8Q", rest=rest))
    load = re.escape(LOAD.format(name="QnameQ"))
    load = load.replace("QnameQ", "(?P<name>[A-Za-z_][A-Za-z0-9_]*)", 1).replace("QnameQ", "(?P=name)")
    main = "|".join(map(re.escape, mains))
    for hole, pattern in holes.items():
        main = main.replace(hole, f"(?:{pattern})")
    return re.compile(f"{load}(?:{main})?", re.ASCII)


ENDING = _ending()


def main_text(graph: Graph, stride: int) -> str:
    """A `main` for generators that make one image of one file; nothing for others."""
    source, output = graph.inputs[0], graph.node[graph.output]
    made = graph.channels(output.name)
    if len(graph.inputs) != 1 or made not in (1, 3):
        return ""
    picture = ".permute(1, 2, 0)" if made == 3 else "[0]"
    times = _times(output, source)
    height, width = ("height", "width") if times is None else (f"height{times[0]}", f"width{times[1]}")
    rule = size_rule(graph)
    low, narrow = least_picture(rule, stride)
    rest = _REST.format(
        low=low, narrow=narrow, small=_SMALL, takes=least_words(rule, stride),
        stride=stride, proportion=_PROPORTION if times is None else "", height=_until(height), width=_until(width),
        picture=picture,
    )  # fmt: skip
    channels = graph.channels(source.name)
    if source.attrs["kind"] == "image" and channels in (1, 3):
        mode, order = ("RGB", ".permute(2, 0, 1)") if channels == 3 else ("L", "[None]")
        return _IMAGE.format(mode=mode, channels=order, rest=rest)
    if source.attrs["kind"] == "labels" and not source.attrs["edges"]:
        return _LABELS.format(classes=channels, rest=rest)
    return ""


def _until(side: str) -> str:
    """The slice that ends there."""
    return f": {side}" if " " in side else f":{side}"


def _times(output: Node, source: Node) -> tuple[str, str] | None:
    """How many times as high and as wide as the input the output is, as text; None where it is no whole number."""
    found = []
    for made, taken in ((output.type.height, source.type.height), (output.type.width, source.type.width)):
        if made % taken:
            return None
        found.append("" if made == taken else f" * {made // taken}")
    return found[0], found[1]
