"""Runs in turns, so that what else the machine does falls on all alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
        table: which one.
        name: what was measured.
        value: the figure.
        unit: "ms", "photos/s", "MB", "s", "AP" …
        ratio: to the table's reference; None for what has none.
        note: a remark.
    """

    table: str
    name: str
    value: float
    unit: str
    ratio: float | None = None
    note: str = ""


def alternated(
    cases: Mapping[str, Callable[[int], object]], rounds: int, warm: int = 1
) -> dict[str, list[float]]:
    """Seconds of each case in each round.

    Args:
        cases: told the round's number, so that each round may take another photo.
        rounds: how often each case runs.
        warm: the first so many rounds run twice, and the first time does not count.
    """
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds):
        for name, case in cases.items():
            if number < warm:
                case(number)
            start = perf_counter()
            case(number)
            seconds[name].append(perf_counter() - start)
    return seconds


def ratio(seconds: Sequence[float], reference: Sequence[float]) -> float:
    """The ratio of two cases' medians."""
    return median(seconds) / median(reference)


def table_text(rows: Sequence[Row]) -> str:
    """Rows as Markdown, a table for each group."""
    lines: list[str] = []
    for table in dict.fromkeys(row.table for row in rows):
        lines += ["", f"### {table}", "", "| what | measured | ratio | |", "|---|---|---|---|"]
        for row in (row for row in rows if row.table == table):
            shown = "" if row.ratio is None else f"{row.ratio:.3g}"
            lines.append(f"| {row.name} | {row.value:.4g} {row.unit} | {shown} | {row.note} |")
    return "\n".join(lines).strip() + "\n"
