"""Several views of one photo (scales, mirrored) → one set of maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pose.geometry import Grid
from pose.resample import cubic_matrix
from pose.results import FieldMaps
from pose.skeleton import HEATMAP_FLIP, PAF_FLIP


def mirror_maps(maps: FieldMaps) -> FieldMaps:
    """The maps of a mirrored photo as maps of the photo itself.

    Left and right keypoints change places and the x components of the PAFs change sign. The photo
    was mirrored together with its padding, so that cell i becomes cell w - 1 - i exactly.
    """
    heatmaps = np.ascontiguousarray(maps.heatmaps[HEATMAP_FLIP][:, :, ::-1])
    pafs = np.ascontiguousarray(maps.pafs[PAF_FLIP][:, :, ::-1])
    pafs[::2] *= -1
    return FieldMaps(heatmaps, pafs, mirror_grid(maps.grid))


def mirror_grid(grid: Grid) -> Grid:
    """The grid of a mirrored photo's maps once they are mirrored back."""
    return replace(grid, shift_x=-grid.shift_x)


def average_maps(views: Sequence[FieldMaps]) -> FieldMaps:
    """The mean of the views on the grid of the finest one, each read at the right place.

    A single view is returned as it is.
    """
    if len(views) == 1:
        return views[0]
    finest = views[finest_view([view.grid for view in views])]
    target = replace(finest.grid, shift_x=0.0, shift_y=0.0)
    shape = finest.heatmaps.shape[1:]
    heatmaps = np.mean([resample(v.heatmaps, v.grid, target, shape) for v in views], axis=0)
    pafs = np.mean([resample(v.pafs, v.grid, target, shape) for v in views], axis=0)
    return FieldMaps(heatmaps, pafs, target)


def finest_view(grids: Sequence[Grid]) -> int:
    """Index of the view with the smallest cells, the first of several."""
    return min(range(len(grids)), key=lambda i: grids[i].scale_x)


def resample(planes: np.ndarray, grid: Grid, target: Grid, shape: tuple[int, int]) -> np.ndarray:
    """Planes (C, h, w) on one grid read at the cells of another: float32 (C, *shape)."""
    rows, columns = reading(grid, target, planes.shape[1:], shape)
    return rows @ planes @ columns.T


def reading(
    grid: Grid, target: Grid, size: tuple[int, int], shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Matrices (shape[0], size[0]) and (shape[1], size[1]) that read a plane at another's cells.

    Args:
        grid: of the plane, whose size is `size`.
        target: of the cells to read at, `shape` of them.
    """
    along_x = np.stack([np.arange(shape[1]), np.zeros(shape[1])], 1)
    along_y = np.stack([np.zeros(shape[0]), np.arange(shape[0])], 1)
    x = grid.to_cells(target.to_image(along_x))[:, 0]
    y = grid.to_cells(target.to_image(along_y))[:, 1]
    return cubic_matrix(y, size[0]), cubic_matrix(x, size[1])
