"""Two results in numbers, as small HTML tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from page.i18n.labels import keypoint_name, say
from page.photo.comparison import keypoint_differences, mean, mean_score
from page.photo.ground_truth import oks_per_person
from page.photo.session import Session, Side
from page.photo.status import seconds


@dataclass(frozen=True)
class Row:
    """A line of a table: its heading and cells."""

    heading: str
    cells: tuple[str, ...]


def comparison_html(session: Session, language: str = "en") -> str:
    """People, scores, times, OKS where the ground truth is known, and each keypoint in A and B."""
    results = [side.result for side in session.sides]

    def row(key: str, values: Sequence[str]) -> Row:
        return Row(say(key, language), tuple(values))

    rows = [
        row("fact_people", [str(len(r.people)) for r in results]),
        row("fact_keypoints", [str(sum(int(p.found.sum()) for p in r.people)) for r in results]),
        row("fact_score", [number(mean_score(r.people)) for r in results]),
        row("fact_network", [seconds(r.timings.network) for r in results]),
        row("fact_decode", [seconds(r.timings.decode) for r in results]),
        *oks_rows(session, language),
    ]
    heads = [
        "",
        *(f"{name} · {side.weights}" for name, side in zip("AB", session.sides, strict=False)),
    ]
    if session.b is None:
        more = f"<p>{say('choose_b', language)}</p>"
    else:
        summary = say("by_keypoint", language)
        per_keypoint = keypoint_table(session.a, session.b, language)
        more = f"<details><summary>{summary}</summary>{per_keypoint}</details>"
    return f'<div class="facts">{table(heads, rows)}{more}</div>'


def oks_rows(session: Session, language: str) -> list[Row]:
    """The mean OKS and every annotated person's; nothing where the ground truth is not known."""
    if not session.ground_truth:
        return []
    by_side = [oks_per_person(side.result.people, session.ground_truth) for side in session.sides]
    means = tuple(number(mean(values)) for values in by_side)
    return [
        Row(say("fact_oks_mean", language), means),
        *(
            Row(say("fact_oks", language, number=j), tuple(map(number, values)))
            for j, values in enumerate(zip(*by_side, strict=True), start=1)
        ),
    ]


def keypoint_table(a: Side, b: Side, language: str) -> str:
    """The 18 keypoints in A and B."""
    heads = [
        say("col_keypoint", language),
        *(say("found", language, side=name) for name in "AB"),
        *(say("score_of", language, side=name) for name in "AB"),
        say("distance", language),
    ]
    rows = [
        Row(
            keypoint_name(k, language),
            (
                str(d.found_a),
                str(d.found_b),
                number(d.score_a),
                number(d.score_b),
                number(d.distance, 1),
            ),
        )
        for k, d in enumerate(keypoint_differences(a.result.people, b.result.people))
    ]
    return table(heads, rows)


def table(heads: Sequence[str], rows: Sequence[Row]) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(row.heading)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row.cells)
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
