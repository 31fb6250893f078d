"""Heatmaps and PAFs of a photo: mirrored back, and averaged over scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pose.geometry import Grid, cubic_matrix
from pose.skeleton import HEATMAP_FLIP, PAF_FLIP


@dataclass(frozen=True)
class FieldMaps:
    """The network's output for one photo, and where on the photo each cell lies.

    Attributes:
        heatmaps: float32 (19, h, w), confidence that a keypoint is in the cell, channel 18 is
            the background; about 0 to 1.
        pafs: float32 (38, h, w), part affinity fields, unit vectors along the limbs; about -1 to 1.
        grid: how cells map to pixels of the photo.
    """

    heatmaps: np.ndarray
    pafs: np.ndarray
    grid: Grid


def mirror_maps(maps: FieldMaps) -> FieldMaps:
    """The maps of a mirrored photo as maps of the photo itself.

    Left and right keypoints change places and the x components of the PAFs change sign. The photo
    was mirrored together with its padding, so that cell i becomes cell w - 1 - i exactly.
    """
    heatmaps = np.ascontiguousarray(maps.heatmaps[HEATMAP_FLIP][:, :, ::-1])
    pafs = np.ascontiguousarray(maps.pafs[PAF_FLIP][:, :, ::-1])
    pafs[::2] *= -1
    return FieldMaps(heatmaps, pafs, replace(maps.grid, shift_x=-maps.grid.shift_x))


def without_padding(maps: FieldMaps) -> FieldMaps:
    """The cells that lie on the photo: in a strip's padding there is nobody to find."""
    rows, columns = maps.grid.used_cells
    if maps.heatmaps.shape[1:] == (rows, columns):
        return maps
    return replace(
        maps, heatmaps=maps.heatmaps[:, :rows, :columns], pafs=maps.pafs[:, :rows, :columns]
    )


def average_maps(scales: Sequence[FieldMaps]) -> FieldMaps:
    """The mean over scales on the grid of the finest one, each resampled at the same places.

    A single set of maps is returned as it is.
    """
    if len(scales) == 1:
        return scales[0]
    finest = min(scales, key=lambda maps: maps.grid.scale_x)
    target = replace(finest.grid, shift_x=0.0, shift_y=0.0)
    return average_onto(scales, target, finest.heatmaps.shape[1:])


def average_crop(crop: FieldMaps, whole: FieldMaps) -> FieldMaps:
    """The mean of a crop's maps and the whole photo's, over the crop, in the finer cells."""
    target = replace(crop.grid, shift_x=0.0, shift_y=0.0)
    if crop.grid.scale_x <= whole.grid.scale_x:
        return average_onto([crop, whole], target, crop.heatmaps.shape[1:])
    target = replace(target, scale_x=whole.grid.scale_x, scale_y=whole.grid.scale_y)
    return average_onto([crop, whole], target, target.used_cells)


def average_onto(scales: Sequence[FieldMaps], target: Grid, shape: tuple[int, ...]) -> FieldMaps:
    """The mean over scales at the cells of a grid."""
    heatmaps = np.mean([resample(m.heatmaps, m.grid, target, shape) for m in scales], axis=0)
    pafs = np.mean([resample(m.pafs, m.grid, target, shape) for m in scales], axis=0)
    return FieldMaps(heatmaps, pafs, target)


def resample(channels: np.ndarray, grid: Grid, target: Grid, shape: tuple[int, ...]) -> np.ndarray:
    """Channels (C, h, w) on one grid read at the cells of another: float32 (C, *shape)."""
    height, width = shape
    along_x = np.stack([np.arange(width), np.zeros(width)], 1)
    along_y = np.stack([np.zeros(height), np.arange(height)], 1)
    x = grid.to_cells(target.to_image(along_x))[:, 0]
    y = grid.to_cells(target.to_image(along_y))[:, 1]
    rows, columns = channels.shape[1:]
    return cubic_matrix(y, rows) @ channels @ cubic_matrix(x, columns).T
