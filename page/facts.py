"""A and B in numbers, as small HTML tables."""

from __future__ import annotations

from html import escape

from page.comparison import joint_differences, mean_score
from page.labels import joint_name, say
from page.session import Session, Side
from page.truth import oks_of_people
from page.words import seconds
from pose.skeleton import NUM_KEYPOINTS


def facts(session: Session, language: str = "en") -> str:
    """People, scores and times of A and B, OKS where the truth is known, and joint by joint."""
    sides = session.sides
    rows = [
        (say("fact_people", language), [str(len(side.people)) for side in sides]),
        (
            say("fact_joints", language),
            [str(sum(int(p.visible.sum()) for p in side.people)) for side in sides],
        ),
        (say("fact_score", language), [number(mean_score(side)) for side in sides]),
        (say("fact_network", language), [seconds(s.result.timings.network) for s in sides]),
        (say("fact_decode", language), [seconds(side.decode_seconds) for side in sides]),
        *truth_rows(session, sides, language),
    ]
    heads = ["", *(f"{name} · {side.weights}" for name, side in zip("AB", sides, strict=False))]
    parts = [table(heads, rows)]
    if session.b is None:
        parts.append(f"<p>{say('choose_b', language)}</p>")
    else:
        summary = say("by_joint", language)
        parts.append(f"<details><summary>{summary}</summary>{joints(session, language)}</details>")
    return f'<div class="facts">{"".join(parts)}</div>'


def truth_rows(
    session: Session, sides: tuple[Side, ...], language: str
) -> list[tuple[str, list[str]]]:
    """OKS of every annotated person and their mean; nothing where the truth is not known."""
    if session.truth is None:
        return []
    by_side = [oks_of_people(side.people, session.truth) for side in sides]
    rows = [
        (say("fact_oks", language, number=j + 1), [number(values[j]) for values in by_side])
        for j in range(len(session.truth))
    ]
    if rows:
        means = [number(sum(values) / len(values)) for values in by_side]
        rows.insert(0, (say("fact_oks_mean", language), means))
    return rows


def joints(session: Session, language: str) -> str:
    """The 18 keypoints in A and B."""
    assert session.b is not None
    heads = [
        say("col_joint", language),
        say("found", language, side="A"),
        say("found", language, side="B"),
        say("score_of", language, side="A"),
        say("score_of", language, side="B"),
        say("distance", language),
    ]
    differences = joint_differences(session.a, session.b)
    rows = [
        (
            joint_name(k, language),
            [
                str(d.found_a),
                str(d.found_b),
                number(d.score_a),
                number(d.score_b),
                number(d.distance, 1),
            ],
        )
        for k, d in zip(range(NUM_KEYPOINTS), differences, strict=True)
    ]
    return table(heads, rows)


def table(heads: list[str], rows: list[tuple[str, list[str]]]) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(value)}</td>" for value in values)
        + "</tr>"
        for name, values in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
