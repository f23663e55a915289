"""Where the weights of torch-fidelity's Inception are: given, fetched before, or on the network."""

import warnings
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.request import urlopen

import torch

from catdsl.diagnostics import CatError
from catdsl.evaluate.network_weights import Wanted, fitting, read_tensors
from catdsl.evaluate.torchvision_operators import import_torchvision
from catdsl.files import write_bytes
from catdsl.reading import Door, opened

REGISTERED = "inception-v3-compat"
LAYER = "2048"
LOGITS = "logits_unbiased"
_PATIENCE_SECONDS = 30
_LARGEST = 400_000_000
"""Bytes of a download: some four times what is published."""
_PART = 1 << 20


def find_inception_weights(given: Path | None = None) -> Path:
    """The checked weights file: `given`, else torch hub's copy, which is fetched where it is missing.

    torch hub's folder of checkpoints is where torch-fidelity puts and looks for its own download.
    Raises CatError E605 where a file does not fit, and, saying what to fetch and where to put it,
    where there is none and none can be had; E608 where the download cannot be written.
    """
    url = _published_url()
    path = given or Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    wanted = Wanted(
        network="torch-fidelity's Inception",
        give=f"give {url.rpartition('/')[2]}, which torch-fidelity publishes at {url}",
    )
    if given is None and not path.exists():
        content = _fetch(url, path)
        # Checked before it lies where torch-fidelity would take it unseen: a proxy may have sent a page.
        _check(BytesIO(content), wanted, source=f"what {url} has sent")
        write_bytes(path, content)
        return path
    door = Door("weights file", "E605", "weights", wanted.give)
    with opened(path, door) as stream:
        try:
            _check(stream, wanted, source=str(path))
        except OSError as error:
            raise door.unreadable(path, error) from None
    return path


def _published_url() -> str:
    import_torchvision()
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    return str(URL_INCEPTION_V3)


def _fetch(url: str, path: Path) -> bytes:
    try:
        with urlopen(url, timeout=_PATIENCE_SECONDS) as answer:
            content = bytearray()
            while len(content) <= _LARGEST and (part := answer.read(_PART)):
                content += part
    # Everything that a network does is one of these, and URLError, too, is an OSError.
    except (OSError, HTTPException) as error:
        raise CatError.one(
            "E605",
            f"the weights of Inception are not at {path} and cannot be fetched: {error}",
            notes=(f"torch-fidelity publishes them at {url}",),
            help=f"fetch that file where there is a network, and put it at {path} "
            "or give it with --inception-weights FILE",
        ) from error
    if len(content) > _LARGEST:
        raise CatError.one(
            "E605", f"{url} sends more than {_LARGEST:,} bytes, and the weights of Inception are fewer",
            help=f"fetch the file that torch-fidelity publishes, and put it at {path} "
            "or give it with --inception-weights FILE",
        )  # fmt: skip
    return bytes(content)


def _check(stream: BinaryIO, wanted: Wanted, *, source: str) -> None:
    """Let torch-fidelity's own network judge, on the meta device, where it costs neither time nor memory."""
    read_tensors(stream, wanted, source=source)
    stream.seek(0)
    import_torchvision()
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    with fitting(wanted, source=source), torch.device("meta"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*no-op")  # that nothing is copied is the point
        FeatureExtractorInceptionV3(REGISTERED, [LAYER], feature_extractor_weights_path=stream)
