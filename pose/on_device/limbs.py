"""As `pose.limbs`, for several photos at once, on the device.

Every pair that a limb could join has a place of its own in the answer, so that the host can tell
from the place alone what was scored, and nothing waits for the device.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from pose.limbs import CHUNK, PROBES, PROBES_NEEDED, LimbRules
from pose.on_device.peaks import PeakTable
from pose.on_device.transfer import upload
from pose.skeleton import LIMB_ENDS, NUM_KEYPOINTS, NUM_PAFS

DROPPED = -1.0
"""The score of pairs that are not plausible."""


@dataclass(frozen=True)
class PairBlocks:
    """The pairs of each limb of each photo, one block after the other, ends counted fastest.

    Attributes:
        first: int (B + 1,), place of each block's first pair; the last is the number of pairs.
        start, end: int (B,), rows of the peak table.
        ends: int (B,), entries of the row `end` that are paired.
        limbs, photos: int (B,).
    """

    first: np.ndarray
    start: np.ndarray
    end: np.ndarray
    ends: np.ndarray
    limbs: np.ndarray
    photos: np.ndarray


def pair_blocks(bounds: np.ndarray) -> PairBlocks:
    """The blocks of photos whose rows of the peak table, `NUM_KEYPOINTS` each, hold so much."""
    photos = np.arange(len(bounds) // NUM_KEYPOINTS)
    start, end = (
        (NUM_KEYPOINTS * photos[:, None] + LIMB_ENDS[:, side]).reshape(-1) for side in (0, 1)
    )
    first = np.concatenate([[0], np.cumsum(bounds[start] * bounds[end])])
    limbs = np.tile(np.arange(len(LIMB_ENDS)), len(photos))
    return PairBlocks(first, start, end, bounds[end], limbs, np.repeat(photos, len(LIMB_ENDS)))


@dataclass(frozen=True)
class Pairs:
    """Pairs on the device.

    Attributes:
        start: float32 (C, 2), cells.
        vector: float32 (C, 2), from start to end.
        length: float32 (C,).
        planes: int (C,), index of the limb's x plane among those of all photos.
    """

    start: torch.Tensor
    vector: torch.Tensor
    length: torch.Tensor
    planes: torch.Tensor


def score_limbs(
    pafs: torch.Tensor,
    peaks: PeakTable,
    blocks: PairBlocks,
    rules: LimbRules,
    reference_lengths: np.ndarray,
) -> torch.Tensor:
    """Score of every pair, float32 (blocks.first[-1],); see `pose.limbs.score_limbs`.

    Args:
        pafs: float32 (N, 38, h, w).
        rules: with the `reference_length` of no photo in particular.
        reference_lengths: (N,), that of each photo.
    """
    device = pafs.device
    columns = [
        blocks.first[:-1],
        blocks.start,
        blocks.end,
        blocks.ends,
        blocks.limbs,
        blocks.photos,
    ]
    table = upload(np.stack(columns), device)
    halves = upload((0.5 * reference_lengths).astype(np.float32), device)
    number = int(blocks.first[-1])
    scored = [
        score_pairs(pafs, peaks, table, halves, rules, first, min(first + CHUNK, number))
        for first in range(0, number, CHUNK)
    ]
    return torch.cat(scored) if scored else pafs.new_zeros(0)


def score_pairs(
    pafs: torch.Tensor,
    peaks: PeakTable,
    table: torch.Tensor,
    halves: torch.Tensor,
    rules: LimbRules,
    first: int,
    last: int,
) -> torch.Tensor:
    """Scores of the pairs from place `first` to before `last`."""
    at = torch.arange(first, last, device=pafs.device)
    block = torch.searchsorted(table[0], at, right=True) - 1
    begins, start_row, end_row, ends, limbs, photos = table[:, block]
    i, j = (at - begins) // ends, (at - begins) % ends
    start, end = peaks.positions[start_row, i], peaks.positions[end_row, j]
    start_score, end_score = peaks.scores[start_row, i], peaks.scores[end_row, j]
    vector = end - start
    length = vector.square().sum(1).sqrt()
    pairs = Pairs(start, vector, length, NUM_PAFS * photos + 2 * limbs)
    kept = start_score.isfinite() & end_score.isfinite() & (length > 1e-3)
    kept &= torch.maximum(start_score, end_score) > rules.peak_threshold
    for point in (start, end):
        kept &= component(pafs, pairs, nearest(point.round(), pafs)) > 0
    kept &= probe(pafs, pairs, rules.sample_threshold) >= PROBES_NEEDED
    values = sample_pafs(pafs, pairs, rules.samples)
    integral = values.mean(1) + (halves[photos] / length - 1).clamp(max=0)
    kept &= (values > rules.sample_threshold).sum(1) >= rules.samples_needed
    kept &= integral > 0
    return torch.where(kept, integral * (start_score * end_score).sqrt(), DROPPED)


def nearest(points: torch.Tensor, pafs: torch.Tensor) -> torch.Tensor:
    """Index within a plane of the cells of whole points (C, 2), those outside moved in."""
    height, width = pafs.shape[-2:]
    x = points[:, 0].long().clamp(0, width - 1)
    return points[:, 1].long().clamp(0, height - 1) * width + x


def component(pafs: torch.Tensor, pairs: Pairs, cells: torch.Tensor) -> torch.Tensor:
    """The PAF in cells (C,) of a plane times the pair's vector."""
    plane = pafs.shape[-2] * pafs.shape[-1]
    index = pairs.planes * plane + cells
    x, y = pafs.flatten()[index], pafs.flatten()[index + plane]
    return x * pairs.vector[:, 0] + y * pairs.vector[:, 1]


def probe(pafs: torch.Tensor, pairs: Pairs, sample_threshold: float) -> torch.Tensor:
    """At how many of `PROBES` the nearest cell's PAF along the pair exceeds the threshold."""
    least = sample_threshold * pairs.length
    count = torch.zeros_like(pairs.planes)
    for along in PROBES:
        points = (pairs.start + 0.5) + along * pairs.vector
        count += component(pafs, pairs, nearest(points, pafs)) > least
    return count


def sample_pafs(pafs: torch.Tensor, pairs: Pairs, samples: int) -> torch.Tensor:
    """PAF components along pairs, (C, samples), read bilinearly."""
    height, width = pafs.shape[-2:]
    steps = (np.arange(samples) / (samples - 1)).astype(np.float32)
    points = pairs.start[:, None] + pairs.vector[:, None] * upload(steps, pafs.device)[:, None]
    x = points[..., 0].clamp(0, width - 1)
    y = points[..., 1].clamp(0, height - 1)
    left = x.long().clamp(max=max(width - 2, 0))
    top = y.long().clamp(max=max(height - 2, 0))
    right, below = int(width > 1), width * int(height > 1)
    x, y = x - left, y - top
    unit = pairs.vector / pairs.length[:, None]
    index = (pairs.planes[:, None] * height + top) * width + left
    flat = pafs.flatten()
    total = torch.zeros_like(x)
    for axis in (0, 1):
        upper = flat[index] * (1 - x) + flat[index + right] * x
        lower = flat[index + below] * (1 - x) + flat[index + below + right] * x
        total += (upper + (lower - upper) * y) * unit[:, axis, None]
        index = index + height * width
    return total
