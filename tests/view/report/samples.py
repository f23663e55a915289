"""Reports to render: a whole one, what may be missing from it, and ones whose every word is hostile."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO

from PIL import Image

from catdsl.view.report.charts import training_charts
from catdsl.view.report.content import (
    Asked,
    Bound,
    ClassScore,
    Costs,
    Data,
    Example,
    Fact,
    Figure,
    Metric,
    Note,
    Report,
    Segmentation,
    Timed,
    Timing,
    WidthChange,
)

HOSTILE = (
    "<script>alert('x')</script>",
    "</script><img src=x onerror=alert(1)>",
    "\"><b onclick='x'>",
    "a|b`c`*d*_e_[f](g)",
    "&amp; &lt;b&gt; \u2028 \x00\x1b[31m \ud800",
    "\u6771\u4eac\u306e\u5efa\u7269 \u0645\u0628\u0646\u0649 \u202egnp.exe\u202c",
    "<!-- -->]]></style><style>*{display:none}",
)
LONG = "a_very_long_name_without_any_space_" * 8

COLOURS = {"input": "navy", "teacher": "olive", "student": "teal", "target": "maroon"}

Word = Callable[[str], str]


def names_no_loss(text: str) -> bool:
    """Whether a text is no name by which losses are put into charts: those would be other charts."""
    return not text.startswith(("gan", "discriminator", "tap"))


def png(colour: str, size: tuple[int, int] = (48, 32)) -> bytes:
    """A picture of one colour."""
    stream = BytesIO()
    Image.new("RGB", size, colour).save(stream, "PNG")
    return stream.getvalue()


def pictures(report: Report) -> Mapping[str, bytes]:
    """A PNG for each file that a report names, of the colour of what it shows, wider with each example."""
    return {
        file: png(COLOURS[role], (48 + 8 * i, 32))
        for i, example in enumerate(report.examples)
        for role, file in example.pictures()
    }


def whole(word: Word = str) -> Report:
    """A report with something of everything; `word` makes every text that comes from users."""
    return Report(
        title=word("facades at 25 %"),
        run=word("runs/facades-25"),
        spec=word("facades_quick.cat"),
        system=word("pix2pix"),
        data=Data(folder=word("facades"), trained_on=350, held_out=50),
        date="2026-11-24T14:03:22",
        seed=3,
        size=(256, 128),
        teacher=Costs(exact=313_100_000, paper=539_600_000, params=2_330_000, weights=9_400_000, memory=67_000_000),
        student=Costs(exact=78_200_000, paper=131_300_000, params=633_900, weights=2_560_000, memory=41_000_000),
        teacher_digest="abc",
        asked=Asked(
            bounds=(Bound(metric="exact", text=word("25%"), most=78_275_000, reached=78_200_000),),
            slack=0.00096,
            protocol="paired",
        ),
        metrics=_metrics(word),
        timings=(
            Timing(
                device=word("cpu: Some Processor"), threads=2, precision=word("float32"), batch=1, size=(256, 128),
                runs=30, networks=(
                    Timed(network="teacher", median=12.04, quartiles=(11.8, 12.9), per_second=83.1),
                    Timed(network="student", median=7.93, quartiles=(7.7, 8.4), per_second=126.1, memory=91_000_000),
                ),
            ),
        ),
        segmentation=Segmentation(
            answers=("teacher", "student"), protocol=word("A segmenter from a file."),
            classes=(
                ClassScore(name=word("wall"), scores=(0.5, 0.25)),
                ClassScore(name=word("shop"), scores=(None, 0.75)),
            ),
        ),
        examples=tuple(
            Example(name=word(f"{i}.jpg"), input=f"{i}_input.png", teacher=f"{i}_teacher.png",
                    student=f"{i}_student.png", target=f"{i}_target.png")
            for i in range(3)
        ),
        charts=training_charts("teacher", _records(word)) + training_charts("student", _records(word)),
        widths=_widths(word),
        environment=(Fact(name=word("torch"), value=word("2.13.0")), Fact(name=word("seed"), value=word("3"))),
        commands=(word("catdsl compress spec.cat --budget 25%"), word("catdsl evaluate runs/facades-25")),
        notes=(Note(kind="warning", text=word("few images")), Note(kind="note", text=word("short training"))),
    )  # fmt: skip


def _metrics(word: Word) -> tuple[Metric, ...]:
    return (
        Metric(
            name=word("L1"), better="smaller", protocol=word("Mean absolute error."), images=50,
            figures=(
                Figure(answer="teacher", value=0.1540, interval=(0.1479, 0.1604)),
                Figure(answer="student", value=0.1535, interval=(0.1476, 0.1597)),
                Figure(answer=word("mean image"), value=0.1731, interval=(0.167, 0.179)),
            ),
        ),
        Metric(
            name=word("Frechet distance (SqueezeNet)"), better="smaller", protocol=word("512 features."), images=50,
            figures=(Figure(answer="teacher", value=61.53), Figure(answer="student", value=83.91)),
        ),
        Metric(name=word("FID"), better="smaller", protocol="", images=50, reason=word("no Inception weights")),
    )  # fmt: skip


def _widths(word: Word) -> tuple[WidthChange, ...]:
    stem, body = word("stem"), word("body.0")
    return (
        WidthChange(name=f"{stem}.{word('conv0')}", block=stem, teacher=64, student=20),
        WidthChange(name=f"{body}.{word('dense.0.conv0')}", block=body, teacher=10, student=0),
        WidthChange(name=f"{body}.{word('dense.1.conv0')}", block=body, teacher=10, student=10),
    )


def _records(word: Word) -> list[dict[str, float]]:
    """Metrics as a training logs them: positive ones over decades, one that changes its sign, and taps."""
    names = word("recon"), "gan", "tap0", "tap1"
    return [
        {"step": i, "epoch": 1, "lr": 0.1, names[0]: 50 / i, names[1]: 0.3 - i / 500, names[2]: 0.5 / i, names[3]: 0.01}
        for i in range(1, 601)
    ]


def hostile(text: str) -> Report:
    """A whole report, every text of which has `text` on both sides of what it is."""
    return whole(lambda word: f"{text}{word}{text}")


def teacher_only() -> Report:
    """A run that trained a teacher, and nothing else."""
    report = whole()
    return replace(
        report,
        student=None,
        asked=Asked(),
        metrics=tuple(replace(m, figures=tuple(f for f in m.figures if f.answer != "student")) for m in report.metrics),
        timings=tuple(replace(t, networks=t.networks[:1]) for t in report.timings),
        segmentation=None,
        examples=tuple(replace(example, student=None) for example in report.examples),
        widths=(),
    )


def unpaired() -> Report:
    """A run without targets."""
    report = whole()
    return replace(
        report,
        asked=replace(report.asked, protocol="unpaired"),
        examples=tuple(replace(example, target=None) for example in report.examples),
    )


def bare() -> Report:
    """The least that a report may hold."""
    report = whole()
    return Report(
        title="bare", run="runs/bare", spec="a.cat", system="pix2pix", data=report.data, date="2026-11-24",
        seed=0, size=(64, 64), teacher=replace(report.teacher, memory=None),
    )  # fmt: skip


REPORTS: Mapping[str, Callable[[], Report]] = {
    "whole": whole,
    "teacher only": teacher_only,
    "unpaired": unpaired,
    "bare": bare,
    "long names": lambda: hostile(LONG),
    **{f"hostile {i}": lambda text=text: hostile(text) for i, text in enumerate(HOSTILE)},
}
