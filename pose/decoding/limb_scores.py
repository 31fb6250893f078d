"""Candidate pairs of all limbs scored by line integrals over the PAFs, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pose.decoding.peaks import Peaks, best_of_each
from pose.skeleton import LIMB_ENDS, NUM_KEYPOINTS

PROBES = (0.25, 0.5, 0.75)
PROBES_NEEDED = 2
"""Before a pair is sampled in earnest, the PAF must point along it at so many of these places."""

MAX_PAIRS = 16_384
"""Pairs scored per limb, those of the highest candidates: 128 people's, each with each. Bounds the
work on maps full of noise."""

CHUNK = 1_000_000
"""Samples along pairs read at a time, to bound memory."""


@dataclass(frozen=True)
class Connections:
    """Candidate limbs; `start` and `end` are indices into `Peaks`.

    Attributes:
        limbs: int (C,), index in `pose.skeleton.LIMBS`.
        start, end: int (C,).
        scores: float32 (C,), see `score_limbs`.
        cut: limbs of which more than `MAX_PAIRS` pairs were likely.
    """

    limbs: np.ndarray
    start: np.ndarray
    end: np.ndarray
    scores: np.ndarray
    cut: tuple[int, ...] = ()

    def __getitem__(self, kept: np.ndarray | slice) -> Connections:
        return Connections(
            self.limbs[kept], self.start[kept], self.end[kept], self.scores[kept], self.cut
        )

    def __len__(self) -> int:
        return len(self.limbs)


@dataclass(frozen=True)
class LimbRules:
    """When a pair of candidates is plausible.

    Attributes:
        peak_threshold: at least one of the two candidates has more than this.
        sample_threshold: PAF component along the pair that a sample must exceed.
        samples: points, evenly spaced along the pair, at which the PAF is read.
        samples_needed: how many of them must exceed `sample_threshold`.
        reference_length: height of the photo in cells; pairs longer than half of it lose score.
    """

    peak_threshold: float
    sample_threshold: float
    samples: int
    samples_needed: int
    reference_length: float


def score_limbs(pafs: np.ndarray, peaks: Peaks, rules: LimbRules) -> Connections:
    """Every plausible pair of candidates of every limb with its score.

    The line integral is the mean component of the PAF along the pair, plus
    min(0.5 * reference_length / length - 1, 0) (arXiv 1611.08050 and its public decoders); it must
    be positive. The score is the integral times the geometric mean of the candidates' scores, so
    that a limb between doubtful candidates yields to one between clear ones. Of each limb the
    `MAX_PAIRS` pairs of the highest candidates are scored; `Connections.cut` names the limbs where
    some were left out.

    Args:
        pafs: float32 (38, h, w).
        peaks: keypoint candidates, positions in cells.
        rules: what makes a pair plausible.
    """
    pairs = likely_pairs(pafs, peaks, rules.peak_threshold)
    step = max(1, CHUNK // rules.samples)
    scored = [
        score_pairs(pafs, peaks, pairs[first : first + step], rules)
        for first in range(0, max(len(pairs), 1), step)
    ]
    return replace(joined(scored), cut=pairs.cut)


def joined(chunks: Sequence[Connections]) -> Connections:
    """Several sets of connections as one."""
    return Connections(
        np.concatenate([c.limbs for c in chunks]),
        np.concatenate([c.start for c in chunks]),
        np.concatenate([c.end for c in chunks]),
        np.concatenate([c.scores for c in chunks]),
    )


def likely_pairs(pafs: np.ndarray, peaks: Peaks, peak_threshold: float) -> Connections:
    """Pairs that a limb could join with one end above the threshold, `MAX_PAIRS` a limb; scores 0.

    Most pairs in a crowd are dropped by what is known of each candidate alone: the PAF at the
    start and at the end must point along the pair, within a right angle.
    """
    bounds = np.searchsorted(peaks.channels, np.arange(NUM_KEYPOINTS + 1))
    _, height, width = pafs.shape
    x, y = peaks.positions[:, 0], peaks.positions[:, 1]
    column = np.rint(x).astype(int).clip(0, width - 1)
    cell = np.rint(y).astype(int).clip(0, height - 1) * width + column
    fields = pafs.reshape(len(LIMB_ENDS), 2, height * width)
    clear = peaks.scores > peak_threshold
    limbs, starts, ends, cut = [], [], [], []
    for limb, (a, b) in enumerate(LIMB_ENDS):
        start, end = slice(bounds[a], bounds[a + 1]), slice(bounds[b], bounds[b + 1])
        dx = x[end] - x[start, None]
        dy = y[end] - y[start, None]
        at_start, at_end = fields[limb][:, cell[start], None], fields[limb][:, cell[end]]
        likely = at_start[0] * dx + at_start[1] * dy > 0
        likely &= at_end[0] * dx + at_end[1] * dy > 0
        likely &= clear[start, None] | clear[end]
        i, j = np.nonzero(likely)
        if len(i) > MAX_PAIRS:
            cut.append(limb)
            strength = peaks.scores[bounds[a] + i] * peaks.scores[bounds[b] + j]
            kept = best_of_each(np.zeros(len(i), int), strength, MAX_PAIRS)
            i, j = i[kept], j[kept]
        limbs.append(np.full(len(i), limb))
        starts.append(i + bounds[a])
        ends.append(j + bounds[b])
    scores = np.zeros(sum(map(len, limbs)), np.float32)
    return Connections(
        np.concatenate(limbs), np.concatenate(starts), np.concatenate(ends), scores, tuple(cut)
    )


def score_pairs(
    pafs: np.ndarray, peaks: Peaks, pairs: Connections, rules: LimbRules
) -> Connections:
    """The plausible pairs with their scores."""
    vector = peaks.positions[pairs.end] - peaks.positions[pairs.start]
    length = np.sqrt((vector**2).sum(1))
    alive = length > 1e-3
    pairs, vector, length = pairs[alive], vector[alive], length[alive]
    unit = vector / length[:, None]
    clear = probe(pafs, peaks, pairs, vector, rules.sample_threshold * length) >= PROBES_NEEDED
    pairs, vector, unit, length = pairs[clear], vector[clear], unit[clear], length[clear]
    steps = np.arange(rules.samples) / (rules.samples - 1)
    values = sample_pafs(pafs, peaks, pairs, vector, unit, steps)
    integral = values.mean(1) + np.minimum(0.5 * rules.reference_length / length - 1, 0)
    enough = (values > rules.sample_threshold).sum(1) >= rules.samples_needed
    kept = enough & (integral > 0)
    pairs = pairs[kept]
    clarity = np.sqrt(peaks.scores[pairs.start] * peaks.scores[pairs.end])
    return Connections(pairs.limbs, pairs.start, pairs.end, integral[kept] * clarity)


def probe(
    pafs: np.ndarray, peaks: Peaks, pairs: Connections, vector: np.ndarray, least: np.ndarray
) -> np.ndarray:
    """At how many of `PROBES` the nearest cell's PAF, times the pair's vector, exceeds `least`."""
    _, height, width = pafs.shape
    flat, plane = pafs.reshape(-1), height * width
    start = peaks.positions[pairs.start] + np.float32(0.5)
    first = (2 * plane * pairs.limbs).astype(np.int32)
    count = np.zeros(len(pairs), np.int8)
    for along in PROBES:
        points = (start + np.float32(along) * vector).astype(np.int32)
        at = first + np.minimum(points[:, 1], height - 1) * width
        at += np.minimum(points[:, 0], width - 1)
        count += flat[at] * vector[:, 0] + flat[at + plane] * vector[:, 1] > least
    return count


def sample_pafs(
    pafs: np.ndarray,
    peaks: Peaks,
    pairs: Connections,
    vector: np.ndarray,
    unit: np.ndarray,
    steps: np.ndarray,
) -> np.ndarray:
    """PAF components along pairs, (pairs, steps), read bilinearly; `steps` from 0 to 1."""
    along = steps.astype(np.float32)[:, None]
    points = peaks.positions[pairs.start][:, None] + vector[:, None] * along
    _, height, width = pafs.shape
    x = np.clip(points[..., 0], 0, width - 1)
    y = np.clip(points[..., 1], 0, height - 1)
    left = np.minimum(x.astype(np.int32), max(width - 2, 0))
    top = np.minimum(y.astype(np.int32), max(height - 2, 0))
    right, below = int(width > 1), width * int(height > 1)
    x -= left
    y -= top
    plane = height * width
    index = (2 * pairs.limbs[:, None] * height + top) * width + left
    flat = pafs.reshape(-1)
    component = np.zeros(x.shape, np.float32)
    for axis in (0, 1):
        upper = flat[index] * (1 - x) + flat[index + right] * x
        lower = flat[index + below] * (1 - x) + flat[index + below + right] * x
        component += (upper + (lower - upper) * y) * unit[:, axis, None]
        index = index + plane
    return component
