"""Heatmaps → keypoint candidates with sub-pixel positions, all channels at once.

The classic decoder upsamples every channel 8x, smooths and compares neighbours. Here maxima are
found at the network's own resolution, and only the neighbourhood of each is upsampled, by one
matrix product for all candidates: the same numbers where they matter, at a fraction of the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from pose.geometry import cubic_kernel
from pose.skeleton import NUM_KEYPOINTS

SUBCELLS = 8
"""Fine positions per cell: the stride, so one input pixel."""

REACH = 1.0
"""Cells on each side of a coarse maximum in which the fine maximum may lie."""

HALF = 3
"""Cells on each side that enter a fine value: REACH and the cubic kernel's 2."""

SAME_PEAK = 0.6
"""Two refined peaks closer than this many cells are one, found from two coarse cells."""

MAX_COARSE = 1024
"""Coarse maxima refined per keypoint, highest cell first; bounds the work on plateaus."""

MAX_PEAKS = 256
"""Candidates kept per keypoint, best first; bounds the work on maps full of noise."""


@dataclass(frozen=True)
class Peaks:
    """Keypoint candidates of all channels, sorted by channel, best first within one.

    Attributes:
        channels: int (K,), keypoint index.
        positions: float32 (K, 2), x and y in cells.
        scores: float32 (K,), interpolated heatmap value.
        cut: keypoints of which more than `MAX_PEAKS` candidates were found, or more than
            `MAX_COARSE` before they were refined.
    """

    channels: np.ndarray
    positions: np.ndarray
    scores: np.ndarray
    cut: tuple[int, ...] = ()


def find_peaks(heatmaps: np.ndarray, threshold: float) -> Peaks:
    """Local maxima above `threshold` of the 18 keypoint channels.

    Per keypoint the `MAX_COARSE` highest cells are refined and the `MAX_PEAKS` best candidates
    kept; `Peaks.cut` names those where some were left out.

    Args:
        heatmaps: float32 (19, h, w) or (18, h, w).
        threshold: smallest interpolated heatmap value of a candidate.
    """
    planes = heatmaps[:NUM_KEYPOINTS]
    channels, rows, columns = coarse_maxima(planes, threshold)
    highest = best_of_each(channels, planes[channels, rows, columns], MAX_COARSE)
    crowded = channels[~highest]
    channels, rows, columns = channels[highest], rows[highest], columns[highest]
    positions, scores = refine(planes, channels, rows, columns)
    kept = scores > threshold
    channels, positions, scores = channels[kept], positions[kept], scores[kept]
    order = np.lexsort((-scores, channels))
    channels, positions, scores = channels[order], positions[order], scores[order]
    kept = best_of_each(channels, scores, MAX_PEAKS)
    cut = tuple(int(p) for p in np.unique(np.concatenate([crowded, channels[~kept]])))
    channels, positions, scores = channels[kept], positions[kept], scores[kept]
    kept = ~repeats_better(channels, positions)
    return Peaks(channels[kept], positions[kept], scores[kept], cut)


def best_of_each(groups: np.ndarray, values: np.ndarray, most: int) -> np.ndarray:
    """bool (K,): the `most` highest values of each group, the first of equal ones.

    Args:
        groups: int (K,), ascending.
        values: float (K,).
        most: how many are kept.
    """
    kept = np.ones(len(groups), bool)
    crowds = np.flatnonzero(np.bincount(groups) > most) if len(groups) else ()
    for group in crowds:
        first, last = np.searchsorted(groups, (group, group + 1))
        kept[first:last][np.argsort(-values[first:last], kind="stable")[most:]] = False
    return kept


def coarse_maxima(
    planes: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Channel, row and column of cells not below their four neighbours.

    A fine maximum can exceed its cell's value, so cells down to half the threshold are candidates.
    """
    is_peak = planes > 0.5 * threshold
    for before, after in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:, :, :-1], np.s_[:, :, 1:]),
    ):
        is_peak[after] &= planes[after] >= planes[before]
        is_peak[before] &= planes[before] >= planes[after]
    channels, rows, columns = np.nonzero(is_peak)
    return channels, rows, columns


@cache
def interpolation() -> np.ndarray:
    """Weights (2 * REACH * SUBCELLS + 1, 2 * HALF + 1) from cells to fine positions.

    Row u holds the weights of the cells around a coarse maximum for the value at u / SUBCELLS -
    REACH.
    """
    steps = round(REACH * SUBCELLS)
    fine = np.arange(-steps, steps + 1) / SUBCELLS
    return cubic_kernel(fine[:, None] - np.arange(-HALF, HALF + 1)).astype(np.float32)


def refine(
    planes: np.ndarray, channels: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fine positions (K, 2) in cells and interpolated scores (K,) of coarse maxima."""
    if not len(channels):
        return np.zeros((0, 2), np.float32), np.zeros(0, np.float32)
    _, height, width = planes.shape
    window = np.arange(-HALF, HALF + 1)
    cell_y = (rows[:, None] + window).clip(0, height - 1)
    cell_x = (columns[:, None] + window).clip(0, width - 1)
    patches = planes[channels[:, None, None], cell_y[:, None, :], cell_x[:, :, None]]  # (K, x, y)
    weights = interpolation().T
    along_y = patches.reshape(-1, len(window)) @ weights
    along_y = along_y.reshape(len(channels), len(window), -1).swapaxes(1, 2)
    fine = along_y @ weights  # (K, fine rows, fine columns)
    size = fine.shape[1]
    best = fine.reshape(len(fine), -1).argmax(1)
    y, x = np.divmod(best, size)
    scores = fine.reshape(len(fine), -1)[np.arange(len(best)), best]
    dx = parabola(fine, y, x, 0, 1)
    dy = parabola(fine, y, x, 1, 0)
    positions = np.stack(
        [columns + (x + dx) / SUBCELLS - REACH, rows + (y + dy) / SUBCELLS - REACH], 1
    )
    limit = np.array([width, height]) - 0.5
    return np.clip(positions, -0.5, limit).astype(np.float32), scores.astype(np.float32)


def parabola(
    fine: np.ndarray, y: np.ndarray, x: np.ndarray, step_y: int, step_x: int
) -> np.ndarray:
    """Offset in fine steps, within ±0.5, of the top of a parabola through three fine values."""
    index = np.arange(len(fine))
    last = fine.shape[1] - 1
    before = fine[index, np.maximum(y - step_y, 0), np.maximum(x - step_x, 0)]
    after = fine[index, np.minimum(y + step_y, last), np.minimum(x + step_x, last)]
    curvature = 2 * fine[index, y, x] - before - after
    flat = curvature <= 1e-12
    return np.where(
        flat, 0, np.clip((after - before) / np.where(flat, 1, 2 * curvature), -0.5, 0.5)
    )


def repeats_better(channels: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """bool (K,): peaks that lie on a better one of the same keypoint.

    Expects peaks sorted by keypoint, best first.
    """
    repeats = np.zeros(len(channels), bool)
    index = np.arange(len(channels))
    rank = index - np.searchsorted(channels, channels)
    worse = np.repeat(index, rank)
    first_pair = np.repeat(np.cumsum(rank) - rank, rank)
    better = worse - rank[worse] + np.arange(len(worse)) - first_pair
    close = np.abs(positions[worse] - positions[better]).max(1, initial=0) < SAME_PEAK
    repeats[worse[close]] = True
    return repeats
