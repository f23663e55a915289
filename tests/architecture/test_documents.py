"""What the documents show is true: their programs check, their code runs, their links lead somewhere."""

import re
from pathlib import Path

import pytest

from catdsl.diagnostics.codes import CODES
from catdsl.ir.op import Op
from catdsl.ops import pointwise
from catdsl.semantics.elaborate import elaborate
from catdsl.semantics.library import SourceFile
from tests.architecture.source import ROOT

_DOCUMENTS = tuple(sorted(p.relative_to(ROOT).as_posix() for p in ROOT.glob("*.md")))


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def dead_links(text: str, folder: Path) -> list[str]:
    """Links to files that do not exist. Addresses on the network are not looked at."""
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    return [t for t in targets if "://" not in t and not (folder / t).exists()]


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", _DOCUMENTS)
def test_links_lead_to_files(name: str) -> None:
    assert dead_links(_read(name), ROOT) == []


def test_a_dead_link_is_caught() -> None:
    text = "[a](LICENSE) ![b](docs/no.svg) [c](https://example.org/x) [d](gone.md#part) [e](#here)"
    assert dead_links(text, ROOT) == ["docs/no.svg", "gone.md"]


def test_the_program_in_the_readme_checks() -> None:
    programs = blocks(_read("README.md"), "cat")
    assert programs
    for program in programs:
        assert elaborate(SourceFile("README.md", program), {}).warnings == ()


def test_the_operator_in_the_guide_is_one() -> None:
    (code,) = (b for b in blocks(_read("CONTRIBUTING.md"), "python") if "_pointwise(" in b)
    family = dict(vars(pointwise))
    exec(code, family)
    made = [v for name, v in family.items() if isinstance(v, Op) and name not in vars(pointwise)]
    assert [op.name for op in made] == ["softplus"]
    assert made[0] not in pointwise.ALL  # otherwise the guide shows what is there already
    assert all(arg.summary for arg in made[0].args)


@pytest.mark.parametrize("name", _DOCUMENTS)
def test_codes_in_the_documents_exist(name: str) -> None:
    assert set(re.findall(r"\bE[1-9]\d\d\b", _read(name))) <= set(CODES)
