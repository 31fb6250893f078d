"""Sessions of the page from drawn maps, without a network."""

from __future__ import annotations

import numpy as np

from page.images import for_screen
from page.photo.session import Session, Side
from pose import DecodeSettings, FieldMaps, PoseResult, Timings
from pose.decoding.decode import assemble_people, find_candidates


def result_of(maps: FieldMaps, notes: tuple[str, ...] = (), **thresholds: float) -> PoseResult:
    """What the estimator makes of these maps: seconds 0.1, 1.5 and 0.02."""
    settings = DecodeSettings().changed(**thresholds)
    candidates = find_candidates(maps, settings)
    people = assemble_people(candidates, maps.grid, settings)
    photo = np.full((*maps.grid.image_size, 3), 127, np.uint8)
    return PoseResult(
        people,
        photo,
        maps,
        candidates,
        settings,
        Timings(0.1, 1.5, 0.02),
        decode_notes=candidates.notes,
        notes=notes,
    )


def session_of(a: PoseResult, b: PoseResult | None = None, name: str = "photo 7.jpg") -> Session:
    second = Side("second", b) if b else None
    return Session(name, "fast", for_screen(a.image), Side("first", a), second)
