"""The status line and the numbers in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from page.i18n.labels import say
from page.photo.session import Session, Side
from pose import WeightsCard


@dataclass(frozen=True)
class Remarks:
    """What the line says besides the result.

    Attributes:
        stale: a setting has changed since the network ran.
        same_twice: A and B are the same weights.
        problem: what went wrong just now and what to do, one sentence.
    """

    stale: bool = False
    same_twice: bool = False
    problem: str = ""


def seconds(value: float) -> str:
    """A time in seconds or, if shorter, milliseconds."""
    return f"{value:.1f} s" if value >= 0.995 else f"{value * 1000:.0f} ms"


def people_count(count: int, language: str = "en") -> str:
    key = f"count_{count}" if count < 2 else "count_n"
    return say(key, language, count=count)


def status(session: Session | None, language: str = "en", remarks: Remarks | None = None) -> str:
    """What happened, as HTML that a screen reader announces; times and weights behind an "i"."""
    remarks = remarks or Remarks()
    parts = [result_line(session, language)] if session else []
    notes: dict[str, str] = {}
    if session:
        results = [side.result for side in session.sides]
        notes = dict.fromkeys((note for r in results for note in r.decode_notes), "note")
        if session.correction is not None:
            notes[say("corrected", language)] = "note"
        if not any(result.people for result in results):
            notes[say("nobody", language)] = "note"
    if remarks.stale:
        notes[say("stale", language)] = "note stale"
    if remarks.same_twice:
        notes[say("same_twice", language)] = "note"
    if remarks.problem:
        notes[remarks.problem] = "problem"
    parts += [f'<span class="{kind}">{escape(note)}</span>' for note, kind in notes.items()]
    return f'<div class="lines" role="status" aria-live="polite">{"".join(parts)}</div>'


def result_line(session: Session, language: str) -> str:
    """How many people in what time, for each side."""
    several = len(session.sides) > 1
    counts = [
        say(
            "found_in",
            language,
            side=f"{name} " if several else "",
            people=f"<b>{people_count(len(side.result.people), language)}</b>",
            total=seconds(side.result.timings.total),
        )
        for name, side in zip("AB", session.sides, strict=False)
    ]
    details = [
        side_line(name, side, session.network_ran, language)
        for name, side in zip("AB", session.sides, strict=False)
    ]
    # The same note of both sides is shown once.
    details += map(escape, dict.fromkeys(n for side in session.sides for n in side.result.notes))
    more = "".join(f"<span>{line}</span>" for line in details)
    return (
        f'<span>{" · ".join(counts)} <details class="more"><summary aria-label='
        f'"{say("details", language)}">i</summary><span class="card">{more}</span></details></span>'
    )


def side_line(name: str, side: Side, network_ran: bool, language: str) -> str:
    timings = side.result.timings
    return say(
        "ran" if network_ran else "redecoded",
        language,
        side=name,
        weights=escape(side.weights),
        network=seconds(timings.network),
        decode=seconds(timings.decode),
    )


def weights_label(card: WeightsCard) -> str:
    """A catalogue entry in the drop-down."""
    parts = [card.name]
    if not card.present:
        size = f"{card.size_bytes / 1e6:.0f} MB " if card.size_bytes else ""
        parts.append(f"{size}download first")
    if card.ap is not None:
        parts.append(f"AP {card.ap:.3f}")
    return " · ".join(parts)


def weights_note(cards: Sequence[WeightsCard], language: str = "en") -> str:
    """Title, licence, AP and notes of weights, as Markdown: a line for each."""
    lines = []
    for card in cards:
        parts = [plain(text) for text in (card.title, card.licence) if text != card.name]
        if card.ap is not None:
            parts.append(f"AP {card.ap:.3f}")
        if not card.present:
            size = f"{card.size_bytes / 1e6:.0f} MB" if card.size_bytes else "?"
            parts.append(say("download_needed", language, size=size))
        lines.append(f"**{plain(card.name)}**: {' · '.join(parts)}")
        lines += map(plain, card.notes)
    return "  \n".join(lines)


def plain(text: str) -> str:
    """A text of a file's metadata with Markdown escaped: no pictures, links or HTML."""
    return re.sub(r"([\\`*_{}\[\]()#!<>|~&])", r"\\\1", " ".join(text.split()))
