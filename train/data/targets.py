"""Target heatmaps and PAFs of a whole batch, on the training device.

Cell i lies at crop pixel 8 i + 3.5 (pixel centres at whole numbers), as in `pose.geometry`.
"""

from __future__ import annotations

import torch

from pose.geometry import STRIDE
from pose.networks.build import StageMaps
from pose.skeleton import LIMB_ENDS, LIMBS, NUM_HEATMAPS, NUM_KEYPOINTS

SIGMA, PAF_WIDTH = 7.0, 1.0
"""The published sizes: a peak's standard deviation in pixels of the crop, a limb's half width in
cells."""

CUTOFF = 4.6052
"""Peaks are cut where exp(-x) has x above this, at 1 % (arXiv 1611.08050's Caffe code)."""


def make_targets(
    keypoints: torch.Tensor,
    size: tuple[int, int] = (46, 46),
    sigma: float = SIGMA,
    paf_width: float = PAF_WIDTH,
) -> StageMaps:
    """The maps of a perfect network.

    Args:
        keypoints: float (N, P, 18, 3), x and y in crop pixels and a label above 0 where there is
            a keypoint; padding and missing keypoints are NaN or labelled 0.
        size: (rows, columns) of the maps.
        sigma: standard deviation of a peak in pixels.
        paf_width: cells at most so far from a limb's segment carry its direction.

    Returns:
        PAFs (N, 38, rows, columns) and heatmaps (N, 19, rows, columns), float32.
    """
    points = keypoints[..., :2].float()
    there = (keypoints[..., 2] > 0) & points.isfinite().all(-1)
    cells = (points + 0.5) / STRIDE - 0.5
    return StageMaps(
        paf_targets(cells, there, size, paf_width),
        heatmap_targets(cells, there, size, sigma / STRIDE),
    )


def heatmap_targets(
    cells: torch.Tensor, there: torch.Tensor, size: tuple[int, int], sigma: float
) -> torch.Tensor:
    """Gaussian peaks, the maximum over people, and the background as 1 - max over keypoints.

    Args:
        cells: (N, P, 18, 2) in cells. there: bool (N, P, 18). sigma: in cells.
    """
    batch, (rows, columns) = len(cells), size
    image, _, part = there.nonzero(as_tuple=True)
    x, y = cells[there].unbind(-1)
    along_x = (torch.arange(columns, device=cells.device) - x[:, None]) ** 2 / (2 * sigma**2)
    along_y = (torch.arange(rows, device=cells.device) - y[:, None]) ** 2 / (2 * sigma**2)
    exponent = along_y[:, :, None] + along_x[:, None, :]
    peaks = torch.where(exponent > CUTOFF, 0.0, torch.exp(-exponent))
    parts = torch.zeros(batch * NUM_KEYPOINTS, rows, columns, device=cells.device)
    slot = (image * NUM_KEYPOINTS + part)[:, None, None].expand_as(peaks)
    parts.scatter_reduce_(0, slot, peaks, "amax")
    parts = parts.view(batch, NUM_KEYPOINTS, rows, columns)
    background = 1 - parts.amax(1, keepdim=True)
    maps = torch.cat([parts, background], 1)
    assert maps.shape[1] == NUM_HEATMAPS
    return maps


def paf_targets(
    cells: torch.Tensor, there: torch.Tensor, size: tuple[int, int], width: float
) -> torch.Tensor:
    """Unit vectors in the cells near a limb's segment, averaged where people overlap.

    Args:
        cells: (N, P, 18, 2) in cells. there: bool (N, P, 18). width: in cells.
    """
    batch, (rows, columns), limbs = len(cells), size, len(LIMBS)
    ends = torch.as_tensor(LIMB_ENDS, device=cells.device)
    start, end = cells[:, :, ends[:, 0]], cells[:, :, ends[:, 1]]
    length = (end - start).norm(dim=-1)
    drawn = there[:, :, ends[:, 0]] & there[:, :, ends[:, 1]] & (length > 1e-6)
    image, _, limb = drawn.nonzero(as_tuple=True)
    start, length = start[drawn], length[drawn]
    unit = (end[drawn] - start) / length[:, None]

    # Of each cell: how far along the limb and how far beside it.
    x = torch.arange(columns, device=cells.device) - start[:, :1]
    y = torch.arange(rows, device=cells.device) - start[:, 1:]
    ux, uy = unit[:, 0, None, None], unit[:, 1, None, None]
    along = x[:, None, :] * ux + y[:, :, None] * uy
    beside = x[:, None, :] * uy - y[:, :, None] * ux
    past = along - torch.minimum(along.clamp(min=0), length[:, None, None])
    near = (beside**2 + past**2 <= width**2).float()

    slot = image * limbs + limb
    shape = (batch * limbs, rows, columns)
    count = torch.zeros(shape, device=cells.device).index_add_(0, slot, near)
    field = [
        torch.zeros(shape, device=cells.device).index_add_(0, slot, near * u) for u in (ux, uy)
    ]
    maps = torch.stack(field, 1) / count.clamp(min=1)[:, None]
    return maps.view(batch, 2 * limbs, rows, columns)
