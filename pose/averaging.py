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
    return FieldMaps(heatmaps, pafs, replace(maps.grid, shift_x=-maps.grid.shift_x))


def average_maps(views: Sequence[FieldMaps]) -> FieldMaps:
    """The mean of the views on the grid of the finest one, each read at the right place.

    A single view is returned as it is.
    """
    if len(views) == 1:
        return views[0]
    finest = min(views, key=lambda view: view.grid.scale_x)
    target = replace(finest.grid, shift_x=0.0, shift_y=0.0)
    shape = finest.heatmaps.shape[1:]
    heatmaps = np.mean([resample(v.heatmaps, v.grid, target, shape) for v in views], axis=0)
    pafs = np.mean([resample(v.pafs, v.grid, target, shape) for v in views], axis=0)
    return FieldMaps(heatmaps, pafs, target)


def resample(planes: np.ndarray, grid: Grid, target: Grid, shape: tuple[int, int]) -> np.ndarray:
    """Planes (C, h, w) on one grid read at the cells of another: float32 (C, *shape)."""
    rows, columns = shape
    along_x = np.stack([np.arange(columns), np.zeros(columns)], 1)
    along_y = np.stack([np.zeros(rows), np.arange(rows)], 1)
    x = grid.to_cells(target.to_image(along_x))[:, 0]
    y = grid.to_cells(target.to_image(along_y))[:, 1]
    _, height, width = planes.shape
    return cubic_matrix(y, height) @ planes @ cubic_matrix(x, width).T
