"""As `pose.peaks`, for the maps of several photos at once, on the device.

A plane here is one keypoint's heatmap of one photo. Nothing waits for the device but the counts of
coarse maxima: everything after them has a size that is known from them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F

from pose.on_device.transfer import download, upload
from pose.peaks import HALF, MAX_COARSE, MAX_PEAKS, REACH, SAME_PEAK, SUBCELLS, interpolation

CHUNK = 65_536
"""Coarse maxima refined at a time, to bound memory on maps full of noise."""


@dataclass(frozen=True)
class PeakTable:
    """Keypoint candidates, best first in each row; a row for each plane.

    Attributes:
        bounds: int (planes,) on the host, entries of each row that may hold a candidate.
        positions: float32 (planes, M, 2), x and y in cells.
        scores: float32 (planes, M), minus infinity where there is no candidate.
        found: int (planes,), candidates before those beyond `MAX_PEAKS` were cut; above it, too,
            where there were more than `MAX_COARSE` coarse maxima.
    """

    bounds: np.ndarray
    positions: torch.Tensor
    scores: torch.Tensor
    found: torch.Tensor


def find_peaks(planes: torch.Tensor, threshold: float) -> PeakTable:
    """Local maxima above `threshold` of planes (P, h, w); see `pose.peaks.find_peaks`."""
    is_peak = coarse_maxima(planes, threshold)
    (counts,) = download([is_peak.flatten(1).sum(1)])
    crowded = counts > MAX_COARSE
    if crowded.any():
        is_peak &= highest(planes, is_peak, MAX_COARSE)
        counts = np.minimum(counts, MAX_COARSE)
    bounds = np.minimum(counts, MAX_PEAKS)
    size = is_peak[0].numel()
    places = true_places(is_peak.flatten(), int(counts.sum()))
    plane, cell = places // size, places % size
    rows, columns = cell // planes.shape[2], cell % planes.shape[2]
    parts = [part.split(CHUNK) for part in (plane, rows, columns)]
    refined = [refine(planes, *chunk) for chunk in zip(*parts, strict=True)]
    positions, scores = (torch.cat(part) for part in zip(*refined, strict=True))
    table = ranked(plane, positions, scores, threshold, bounds)
    if crowded.any():
        told = table.found.masked_fill(upload(crowded, planes.device), MAX_PEAKS + 1)
        table = replace(table, found=told)
    return table


def highest(planes: torch.Tensor, is_peak: torch.Tensor, most: int) -> torch.Tensor:
    """bool (P, h, w): the `most` highest coarse maxima of each plane."""
    values = planes.masked_fill(~is_peak, -torch.inf).flatten(1)
    kept = torch.zeros_like(values, dtype=torch.bool)
    return kept.scatter_(1, values.topk(most).indices, True).view_as(is_peak)


def coarse_maxima(planes: torch.Tensor, threshold: float) -> torch.Tensor:
    """bool (P, h, w): cells not below their four neighbours, above half the threshold."""
    up_and_down = F.max_pool2d(planes[:, None], (3, 1), 1, (1, 0))[:, 0]
    sideways = F.max_pool2d(planes[:, None], (1, 3), 1, (0, 1))[:, 0]
    return (planes > 0.5 * threshold) & (planes >= up_and_down) & (planes >= sideways)


def true_places(mask: torch.Tensor, count: int) -> torch.Tensor:
    """Indices of the true values of mask (n,), as `nonzero`; with their number known, no wait."""
    slots = torch.where(mask, mask.cumsum(0) - 1, count)
    everywhere = torch.arange(len(mask), device=mask.device)
    return everywhere.new_empty(count + 1).scatter_(0, slots, everywhere)[:count]


def refine(
    planes: torch.Tensor, plane: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Fine positions (K, 2) in cells and interpolated scores (K,) of coarse maxima."""
    height, width = planes.shape[1:]
    window = torch.arange(-HALF, HALF + 1, device=planes.device)
    y = (rows[:, None] + window).clamp(0, height - 1)
    x = (columns[:, None] + window).clamp(0, width - 1)
    patches = planes[plane[:, None, None], y[:, :, None], x[:, None, :]]
    weights = upload(interpolation(), planes.device)
    fine = weights @ patches @ weights.T  # (K, fine rows, fine columns)
    size = fine.shape[1]
    flat = fine.flatten(1)
    best = flat.argmax(1)
    fine_y, fine_x = best // size, best % size
    dx = parabola(flat, best, best - (fine_x > 0).long(), best + (fine_x < size - 1).long())
    dy = parabola(
        flat, best, best - size * (fine_y > 0).long(), best + size * (fine_y < size - 1).long()
    )
    positions = torch.stack(
        [
            (columns + (fine_x + dx.double()) / SUBCELLS - REACH).clamp(-0.5, width - 0.5),
            (rows + (fine_y + dy.double()) / SUBCELLS - REACH).clamp(-0.5, height - 0.5),
        ],
        1,
    )
    return positions.float(), at(flat, best)


def at(values: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """The value of each row of (K, n) at index (K,)."""
    return values.gather(1, index[:, None])[:, 0]


def parabola(
    flat: torch.Tensor, top: torch.Tensor, before: torch.Tensor, after: torch.Tensor
) -> torch.Tensor:
    """Offset in fine steps, within ±0.5, of the top of a parabola through three fine values."""
    left, right = at(flat, before), at(flat, after)
    curvature = 2 * at(flat, top) - left - right
    sharp = curvature > 1e-12
    offset = (right - left) / torch.where(sharp, 2 * curvature, 1)
    # Values beyond all measure leave no number, which must not become an index later.
    return torch.where(sharp, offset.nan_to_num(0.0).clamp(-0.5, 0.5), 0)


def ranked(
    plane: torch.Tensor,
    positions: torch.Tensor,
    scores: torch.Tensor,
    threshold: float,
    bounds: np.ndarray,
) -> PeakTable:
    """Refined maxima above the threshold as a table, without those that repeat a better one."""
    number, width = len(bounds), max(int(bounds.max(initial=0)), 1)
    order = scores.argsort(descending=True, stable=True)
    rows = torch.where(scores > threshold, plane, number)[order]
    by_row = rows.argsort(stable=True)
    order, rows = order[by_row], rows[by_row]
    ends = torch.searchsorted(rows, torch.arange(number + 1, device=rows.device))
    rank = torch.arange(len(rows), device=rows.device) - ends[rows]
    # One place past the table takes what is not kept.
    slots = torch.where((rows < number) & (rank < width), rows * width + rank, number * width)
    table = scores.new_full((number * width + 1,), -torch.inf).scatter_(0, slots, scores[order])
    places = positions.new_zeros((number * width + 1, 2))
    places = places.scatter_(0, slots[:, None].expand(-1, 2), positions[order])
    best = table[:-1].view(number, width)
    at_cells = places[:-1].view(number, width, 2)
    best = best.masked_fill(repeats_better(at_cells, best), -torch.inf)
    return PeakTable(bounds, at_cells, best, ends.diff())


def repeats_better(positions: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """bool (P, M): peaks that lie on a better one of the same plane; rows are best first."""
    close = scores.isfinite()[:, None, :].expand(-1, scores.shape[1], -1).tril(-1)
    for axis in (0, 1):
        along = positions[..., axis]
        close = close & ((along[:, :, None] - along[:, None, :]).abs_() < SAME_PEAK)
    return close.any(2)
