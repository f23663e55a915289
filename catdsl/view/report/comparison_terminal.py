"""A comparison of runs for the terminal: one table, or several below each other where one is too wide."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from catdsl.diagnostics.printable import printable
from catdsl.view.report.comparison import Comparison, cost_columns, metric_columns
from catdsl.view.report.content import TEACHER

_ENDLESS = 100_000


@dataclass(frozen=True, slots=True)
class ComparisonTables:
    """What a rich console prints as the comparison; names of runs are shown as they are, never as markup."""

    comparison: Comparison

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RichTable | Text]:
        rest = self._columns()
        while rest:
            count = len(rest)
            while count > 1 and self._width(console, options, rest[:count]) > options.max_width:
                count -= 1
            yield self._table(rest[:count])
            rest = rest[count:]
        for note in self.comparison.notes:
            yield Text(f"warning: {printable(note)}", style="yellow")

    def _columns(self) -> list[list[Text]]:
        """The head and the cells of every column but the names'; intervals stand in a line of their own."""
        costs, metrics = cost_columns(self.comparison), metric_columns(self.comparison)
        of_costs = (map(_line, column) for column in zip(costs.columns, *costs.rows, strict=True))
        of_metrics = (
            [_lines(head, ", "), *(_lines(cell, " (") for cell in cells)]
            for head, *cells in zip(metrics.columns, *metrics.rows, strict=True)
        )
        return [*map(list, islice(of_costs, 1, None)), *islice(of_metrics, 1, None)]

    def _width(self, console: Console, options: ConsoleOptions, columns: Sequence[list[Text]]) -> int:
        return Measurement.get(console, options.update(max_width=_ENDLESS), self._table(columns)).maximum

    def _table(self, columns: Sequence[list[Text]]) -> RichTable:
        """The names of the rows, and some of the columns."""
        shown = RichTable(box=SIMPLE_HEAD, padding=(0, 1))
        shown.add_column("", overflow="fold")
        for head, *_ in columns:
            shown.add_column(head, justify="right", no_wrap=True)
        for i, row in enumerate(self.comparison.rows, start=1):
            cells = (column[i] for column in columns)
            shown.add_row(_line(row.name), *cells, style="dim" if row.part == TEACHER else None)
        return shown


def _line(text: str) -> Text:
    return Text(printable(text))


def _lines(text: str, end: str) -> Text:
    """Text in two lines: the second begins with what stands after the first `end`, its bracket kept."""
    first, found, second = text.partition(end)
    lines = (first, f"{found.strip(' ,')}{second}") if found else (first,)
    return Text("\n").join(map(_line, lines))
