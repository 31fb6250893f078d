"""Perfect maps of people, drawn for the decoder's tests by plain loops."""

from __future__ import annotations

import numpy as np

from pose import DecodeSettings, FieldMaps, Person
from pose.decoding.decode import assemble_people, find_candidates
from pose.geometry import Grid
from pose.skeleton import LIMBS, NUM_HEATMAPS, NUM_PAFS

STANDING = np.array(
    [
        (0, -9), (0, -6), (-3, -6), (-4, -2), (-4, 2), (3, -6), (4, -2), (4, 2), (-2, 2),
        (-2, 6), (-2, 10), (2, 2), (2, 6), (2, 10), (-0.7, -10), (0.7, -10), (-1.5, -9.5),
        (1.5, -9.5),
    ],
    float,
)  # fmt: skip
"""A person standing upright around (0, 0), cells."""


def standing(x: float, y: float, size: float = 1.0) -> np.ndarray:
    """A person standing upright around a cell: (18, 2)."""
    return STANDING * size + np.array([x, y])


def draw_maps(people: list[np.ndarray], shape: tuple[int, int], sigma: float = 0.875) -> FieldMaps:
    """Maps of people given as (18, 2) cells; NaN is a missing keypoint; 8 photo pixels a cell."""
    height, width = shape
    rows, columns = np.mgrid[:height, :width]
    heatmaps = np.zeros((NUM_HEATMAPS, height, width), np.float32)
    pafs = np.zeros((NUM_PAFS, height, width), np.float32)
    counts = np.zeros((len(LIMBS), height, width))
    for person in people:
        for part, (x, y) in enumerate(person):
            if np.isfinite(x):
                bump = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
                heatmaps[part] = np.maximum(heatmaps[part], bump)
        for i, limb in enumerate(LIMBS):
            a, b = person[limb.start], person[limb.end]
            length = np.linalg.norm(b - a)
            if not np.isfinite(length) or length == 0:
                continue
            u = (b - a) / length
            along = (columns - a[0]) * u[0] + (rows - a[1]) * u[1]
            across = np.abs((columns - a[0]) * u[1] - (rows - a[1]) * u[0])
            inside = (along >= -1) & (along <= length + 1) & (across <= 1)
            pafs[2 * i][inside] += u[0]
            pafs[2 * i + 1][inside] += u[1]
            counts[i][inside] += 1
    pafs /= np.repeat(np.maximum(counts, 1), 2, axis=0)
    heatmaps[-1] = 1 - heatmaps[:-1].max(0)
    return FieldMaps(heatmaps, pafs, Grid(8.0, 8.0, (height * 8, width * 8)))


def decode_with_notes(
    maps: FieldMaps, settings: DecodeSettings | None = None
) -> tuple[tuple[Person, ...], tuple[str, ...]]:
    """The people in the maps and the decoder's notes."""
    settings = settings or DecodeSettings()
    candidates = find_candidates(maps, settings)
    return assemble_people(candidates, maps.grid, settings), candidates.notes
