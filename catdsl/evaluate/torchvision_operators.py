"""Import torchvision where its compiled operators do not fit the installed torch.

A wheel of torchvision carries operators compiled for one build of torch. Beside another build (a
torch for the CPU alone, or another version) they do not load, and its Python code then fails at
import, since it describes operators that are not there:

    RuntimeError: operator torchvision::nms does not exist

All that torch-fidelity and we use of torchvision is that Python code. So the schemas of the missing
operators are declared, and only those: whoever calls such an operator still learns that nothing
computes it. Where torchvision works, nothing is done.
"""

import importlib
import re
import sys
import warnings
from types import ModuleType

import torch

# The operators that torchvision describes at import without asking whether they were loaded: of the
# versions from 0.21 on all describe `nms`, and 0.28 describes `qnms` as well.
_SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_MISSING = re.compile(r"operator torchvision::(\w+) does not exist")

# A library takes its declarations along when it is collected, so this one stays.
_DECLARED: list[torch.library.Library] = []


def import_torchvision() -> ModuleType:
    """torchvision, with the schemas of its operators declared where they could not be loaded.

    Warns once where that was necessary. Any other error of the import passes unchanged, and so does
    a missing operator whose schema is not known here.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        found = _MISSING.fullmatch(str(error))
        if found is None or found[1] not in _SCHEMAS:
            raise
    declared = _declare_missing()
    _forget_half_imported()
    module = importlib.import_module("torchvision")
    warnings.warn(
        f"torchvision {module.__version__} was compiled for another build of torch than {torch.__version__}; "
        f"its Python code is used without the operators {', '.join(declared)}",
        stacklevel=2,
    )
    return module


def _declare_missing() -> list[str]:
    """Declare every operator of the table that is not there, and return their names.

    All at once: importing again registers what the first import registered, which older versions of
    torch refuse, so it should happen before the first registration has succeeded.
    """
    missing = [name for name in _SCHEMAS if getattr(torch.ops.torchvision, name, None) is None]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in missing:
        library.define(_SCHEMAS[name])
    _DECLARED.append(library)
    return missing


def _forget_half_imported() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
