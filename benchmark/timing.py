"""Alternated runs, so that other load on the machine affects all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter
from typing import TypeVar

R = TypeVar("R")


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
        table: its heading.
        name: what was measured.
        value: in `unit`: "ms", "photos/s", "MB", "s"; NaN where it could not be measured.
        ratio: to the table's reference, if it has one.
        note: a remark, or why there is no value.
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
        cases: functions of the round's number, so that rounds may take different photos.
        rounds: how often each case runs.
        warm: in the first so many rounds each case runs once more, before it is timed.
    """
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(rounds):
        for name, case in cases.items():
            if number < warm:
                case(number)
            seconds[name].append(timed(partial(case, number))[0])
    return seconds


def timed(work: Callable[[], R]) -> tuple[float, R]:
    """Seconds of a call and its result."""
    start = perf_counter()
    result = work()
    return perf_counter() - start, result


def ratio(seconds: Sequence[float], reference: Sequence[float]) -> float:
    """The ratio of two medians."""
    return median(seconds) / median(reference)


def times(table: str, seconds: Mapping[str, Sequence[float]]) -> list[Row]:
    """Milliseconds of each case, against the first."""
    reference = next(iter(seconds.values()))
    return [
        Row(table, name, 1e3 * median(measured), "ms", ratio(measured, reference))
        for name, measured in seconds.items()
    ]


def speeds(table: str, seconds: Mapping[str, Sequence[float]], number: int, unit: str) -> list[Row]:
    """How many a second each case did of the `number` that it runs, against the first."""
    reference = next(iter(seconds.values()))
    return [
        Row(table, name, number / median(measured), f"{unit}/s", ratio(reference, measured))
        for name, measured in seconds.items()
    ]


def table_text(rows: Sequence[Row]) -> str:
    """Rows as Markdown, a table for each heading."""
    lines: list[str] = []
    for table in dict.fromkeys(row.table for row in rows):
        lines += ["", f"### {table}", "", "| what | measured | ratio | |", "|---|---|---|---|"]
        for row in (row for row in rows if row.table == table):
            shown = "" if row.ratio is None else f"{row.ratio:.3g}"
            lines.append(f"| {row.name} | {row.value:.4g} {row.unit} | {shown} | {row.note} |")
    return "\n".join(lines).strip() + "\n"
