"""The status line and the numbers in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from page.labels import say
from page.session import Session, Side
from pose import WeightsCard


def seconds(value: float) -> str:
    """A time in the unit that reads best."""
    return f"{value:.1f} s" if value >= 0.995 else f"{value * 1000:.0f} ms"


def people_count(count: int, language: str = "en") -> str:
    key = f"count_{count}" if count < 2 else "count_n"
    return say(key, language, count=count)


def status(session: Session, language: str = "en") -> str:
    """What happened, as HTML that a screen reader announces: a line for A, B and each note."""
    lines = [
        f"<span>{side_line(name, side, session.network_ran, language)}</span>"
        for name, side in zip("AB", session.sides, strict=False)
    ]
    notes = dict.fromkeys(n for side in session.sides for n in (*side.result.notes, *side.notes))
    if not any(side.people for side in session.sides):
        notes[say("nobody", language)] = None
    lines += [f'<span class="note">{escape(note)}</span>' for note in notes]
    return f'<div class="lines" role="status" aria-live="polite">{"".join(lines)}</div>'


def side_line(name: str, side: Side, network_ran: bool, language: str) -> str:
    timings = side.result.timings
    return say(
        "ran" if network_ran else "redecoded",
        language,
        side=f"<b>{name}</b>",
        weights=escape(side.weights),
        people=f"<b>{people_count(len(side.people), language)}</b>",
        total=seconds(timings.preprocess + timings.network + side.decode_seconds),
        network=seconds(timings.network),
        decode=seconds(side.decode_seconds),
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
    """What to know about weights before using them, as Markdown: a line for each."""
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
    """A text of a file's metadata for Markdown: no pictures, links or HTML come from it."""
    return re.sub(r"([\\`*_{}\[\]()#!<>|~&])", r"\\\1", " ".join(text.split()))
