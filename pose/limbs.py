"""Candidate pairs of all limbs scored by line integrals over the PAFs, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pose.peaks import Peaks
from pose.skeleton import LIMB_ENDS

CHUNK = 200_000
"""Pairs scored at a time, to bound memory."""


@dataclass(frozen=True)
class Connections:
    """Candidate limbs; `start` and `end` are indices into `Peaks`.

    Attributes:
        limbs: int (C,), index in `pose.skeleton.LIMBS`.
        start, end: int (C,).
        scores: float32 (C,), mean of the PAF along the limb, lowered for limbs too long.
    """

    limbs: np.ndarray
    start: np.ndarray
    end: np.ndarray
    scores: np.ndarray

    def __getitem__(self, kept: np.ndarray) -> Connections:
        return Connections(self.limbs[kept], self.start[kept], self.end[kept], self.scores[kept])


def score_limbs(
    pafs: np.ndarray,
    peaks: Peaks,
    *,
    sample_threshold: float,
    samples: int,
    samples_needed: int,
    reference_length: float,
) -> Connections:
    """Every plausible pair of candidates of every limb with its score.

    A pair is plausible when at least `samples_needed` of `samples` points evenly spaced along it
    see a PAF component above `sample_threshold` along the pair, and its score is positive. The
    score is the mean component plus min(0.5 * reference_length / length - 1, 0) (arXiv 1611.08050
    and its public decoders).

    Args:
        pafs: float32 (38, h, w).
        peaks: keypoint candidates, positions in cells.
        reference_length: height of the photo in cells; pairs longer than half of it lose score.
    """
    limbs, start, end = all_pairs(peaks)
    parts = []
    for first in range(0, len(limbs), CHUNK):
        chunk = slice(first, first + CHUNK)
        parts.append(
            score_pairs(
                pafs,
                peaks.positions,
                limbs[chunk],
                start[chunk],
                end[chunk],
                sample_threshold,
                samples,
                samples_needed,
                reference_length,
            )
        )
    if not parts:
        none = np.zeros(0, int)
        return Connections(none, none, none, np.zeros(0, np.float32))
    return Connections(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def all_pairs(peaks: Peaks) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Limb, start and end index of every pair of candidates that a limb could join."""
    columns: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for limb, (start_part, end_part) in enumerate(LIMB_ENDS):
        start, end = peaks.of(start_part), peaks.of(end_part)
        if len(start) and len(end):
            pairs = len(start) * len(end)
            columns.append(
                (np.full(pairs, limb), np.repeat(start, len(end)), np.tile(end, len(start)))
            )
    if not columns:
        none = np.zeros(0, int)
        return none, none, none
    return tuple(np.concatenate(column) for column in zip(*columns, strict=True))


def score_pairs(
    pafs, positions, limbs, start, end, sample_threshold, samples, samples_needed, reference_length
):
    vector = positions[end] - positions[start]
    length = np.sqrt((vector**2).sum(1))
    allowed = samples - samples_needed
    # A few samples reject most pairs: more failures among them than allowed in all.
    probe = np.linspace(0, samples - 1, allowed + 3).round().astype(int)[1:-1]
    alive = np.nonzero(length > 1e-3)[0]
    if len(alive) > 64 and len(probe) > allowed:
        values = sample_along(
            pafs, positions, limbs, start, end, vector, length, alive, probe, samples
        )
        alive = alive[(values <= sample_threshold).sum(1) <= allowed]
    values = sample_along(
        pafs, positions, limbs, start, end, vector, length, alive, np.arange(samples), samples
    )
    scores = values.mean(1) + np.minimum(0.5 * reference_length / length[alive] - 1, 0)
    kept = ((values > sample_threshold).sum(1) >= samples_needed) & (scores > 0)
    alive = alive[kept]
    return limbs[alive], start[alive], end[alive], scores[kept]


def sample_along(pafs, positions, limbs, start, end, vector, length, chosen, steps, samples):
    """PAF components along pairs at the given steps: (pairs, steps)."""
    along = (steps / (samples - 1)).astype(np.float32)
    v = vector[chosen]
    points = positions[start[chosen]][:, None] + v[:, None] * along[None, :, None]
    unit = v / length[chosen][:, None]
    channel = 2 * limbs[chosen][:, None]
    _, h, w = pafs.shape
    x = np.clip(points[..., 0], 0, w - 1)
    y = np.clip(points[..., 1], 0, h - 1)
    x0 = np.minimum(x.astype(np.int32), max(w - 2, 0))
    y0 = np.minimum(y.astype(np.int32), max(h - 2, 0))
    fx, fy = x - x0, y - y0
    flat = pafs.reshape(-1)
    right, below = (1 if w > 1 else 0), (w if h > 1 else 0)
    base = (channel * h + y0) * w + x0
    out = 0
    for axis in (0, 1):
        at = base + axis * h * w
        top = flat[at] * (1 - fx) + flat[at + right] * fx
        bottom = flat[at + below] * (1 - fx) + flat[at + below + right] * fx
        out = out + (top * (1 - fy) + bottom * fy) * unit[:, axis, None]
    return out
