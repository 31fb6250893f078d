"""Heatmaps and PAFs blended over a photo, and the colour scales that suit them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import cv2
import numpy as np

from pose.decoding.field_maps import FieldMaps
from pose.drawing.tinting import (
    OPACITY,
    color_table,
    colored,
    dimmed,
    hues,
    level,
    strongest,
    tint,
    upsample,
)
from pose.errors import UserError
from pose.geometry import Grid
from pose.skeleton import BACKGROUND, KEYPOINTS, LIMBS, keypoint_index, limb_index

ALL_KEYPOINTS = "all keypoints"
ALL_LIMBS = "all limbs"

PafKind = Literal["magnitude", "direction", "arrows"]
PAF_KINDS: tuple[PafKind, ...] = get_args(PafKind)

LEAST_SCALE = 0.1
"""An automatic colour scale ends no lower than this, so that noise stays dark."""

BACKGROUND_OPACITY = 0.65

ARROW_COLORS = "plasma"  # its dark end is visible on a dimmed photo

MIN_ARROW = 0.15
"""Vectors shorter than this share of the scale get no arrow."""

ARROW_SPACING = 11
"""Pixels between neighbouring arrows at least."""

SHIFT = 4
"""Fractional bits of OpenCV's fixed-point coordinates."""


def heatmap_layer(
    photo: np.ndarray, maps: FieldMaps, channel: int | str, high: float, opacity: float = 1.0
) -> np.ndarray:
    """A heatmap over the photo, RGB uint8 of the photo's size.

    Args:
        photo: RGB uint8 (H, W, 3), at any size.
        maps: its maps.
        channel: as in `heatmap_figure`.
        high: end of the colour scale, for instance of `heatmap_range`.
        opacity: of the layer, 0 to 1: 0 is the photo as it is.

    Raises:
        UserError: no such channel.
    """
    return heatmap_over(backdrop(photo, opacity), maps, channel, 0.0, high, opacity)


def paf_layer(
    photo: np.ndarray,
    maps: FieldMaps,
    limb: int | str,
    kind: PafKind,
    high: float,
    opacity: float = 1.0,
) -> np.ndarray:
    """A limb's PAF over the photo, RGB uint8 of the photo's size; arguments as for heatmaps."""
    return paf_over(backdrop(photo, opacity), maps, limb, kind, 0.0, high, opacity)


def backdrop(photo: np.ndarray, opacity: float) -> np.ndarray:
    """The photo, the greyer and darker the more of the layer is seen."""
    return cv2.addWeighted(photo, 1 - opacity, dimmed(photo, photo.shape[:2]), opacity, 0)


def heatmap_over(
    photo: np.ndarray,
    maps: FieldMaps,
    channel: int | str,
    low: float,
    high: float,
    opacity: float = 1.0,
) -> np.ndarray:
    """A heatmap over a photo that is already dimmed, in colours from `low` to `high`."""
    field, name = heatmap_field(maps, channel)
    values = upsample(field, maps.grid, photo.shape[:2])
    values -= low
    values /= high - low
    # The background covers the whole picture, so it must let more of the photo through.
    most = BACKGROUND_OPACITY if name == "background" else OPACITY
    return tint(photo, colored(values), soft(values), most * opacity)


def paf_over(
    photo: np.ndarray,
    maps: FieldMaps,
    limb: int | str,
    kind: PafKind,
    low: float,
    high: float,
    opacity: float = 1.0,
) -> np.ndarray:
    """A limb's PAF over a photo that is already dimmed, in colours from `low` to `high`."""
    pairs, _ = paf_fields(maps, limb)
    if kind == "arrows":
        layer = with_arrows(photo, longest(pairs), maps.grid, low, high)
        return cv2.addWeighted(layer, opacity, photo, 1 - opacity, 0)
    x, y = strongest(pairs, maps.grid, photo.shape[:2])
    strength = (np.hypot(x, y) - low) / (high - low)
    if kind == "direction":
        return tint(photo, hues(np.arctan2(y, x)), strength, OPACITY * opacity)
    return tint(photo, colored(strength), soft(strength), OPACITY * opacity)


def with_arrows(
    photo: np.ndarray, field: np.ndarray, grid: Grid, low: float, high: float
) -> np.ndarray:
    """The photo with an arrow for every cell whose vector (2, h, w) is long enough."""
    scale = photo.shape[1] / grid.image_size[1]
    rows, columns = grid.used_cells
    cell = min(grid.scale_x, grid.scale_y) * scale
    step = max(1, round(ARROW_SPACING / cell))
    ys, xs = (axis.ravel() for axis in np.mgrid[0:rows:step, 0:columns:step])
    vectors = field[:, ys, xs].T
    length = np.hypot(*vectors.T)
    shown = length > MIN_ARROW * high
    places = (grid.to_image(np.stack([xs, ys], 1)[shown]) + 0.5) * scale - 0.5
    reach = vectors[shown] * (0.675 * cell * step / high)
    colors = color_table(ARROW_COLORS)[level((length[shown] - low) / (high - low))]
    thickness = max(1, round(0.14 * cell * step))
    picture = photo.copy()
    starts, ends = (
        np.round(v * (1 << SHIFT)).astype(int) for v in (places - reach, places + reach)
    )
    for start, end, color in zip(starts.tolist(), ends.tolist(), colors.tolist(), strict=True):
        cv2.arrowedLine(picture, start, end, color, thickness, cv2.LINE_AA, SHIFT, 0.35)
    return picture


def heatmap_range(maps: FieldMaps, channel: int | str) -> tuple[float, float]:
    """The colour scale, from 0, that suits a heatmap of one photo."""
    field, _ = heatmap_field(maps, channel)
    rows, columns = maps.grid.used_cells
    return 0.0, max(LEAST_SCALE, float(field[:rows, :columns].max(initial=0.0)))


def paf_range(maps: FieldMaps, limb: int | str) -> tuple[float, float]:
    """The colour scale, from 0, that suits the vector lengths of a PAF of one photo."""
    pairs, _ = paf_fields(maps, limb)
    rows, columns = maps.grid.used_cells
    lengths = np.hypot(pairs[:, 0], pairs[:, 1])[:, :rows, :columns]
    return 0.0, max(LEAST_SCALE, float(lengths.max(initial=0.0)))


def heatmap_field(maps: FieldMaps, channel: int | str) -> tuple[np.ndarray, str]:
    """A heatmap (h, w) and its name."""
    if channel in (ALL_KEYPOINTS, "all joints"):  # its name in earlier versions
        return maps.heatmaps[:BACKGROUND].max(0), ALL_KEYPOINTS
    names = [*(keypoint.name for keypoint in KEYPOINTS), "background"]
    index = index_of(channel, keypoint_index, len(names))
    return maps.heatmaps[index], names[index]


def paf_fields(maps: FieldMaps, limb: int | str) -> tuple[np.ndarray, str]:
    """The PAF of one limb or of all, (n, 2, h, w) with x first, and its name."""
    pairs = maps.pafs.reshape(len(LIMBS), 2, *maps.pafs.shape[1:])
    if limb == ALL_LIMBS:
        return pairs, ALL_LIMBS
    index = index_of(limb, limb_index, len(LIMBS))
    return pairs[index : index + 1], LIMBS[index].name


def longest(pairs: np.ndarray) -> np.ndarray:
    """The longest vector in every cell, (2, h, w), of several vector fields (n, 2, h, w)."""
    index = np.hypot(pairs[:, 0], pairs[:, 1]).argmax(0)
    return np.take_along_axis(pairs, index[None, None], 0)[0]


def soft(strength: np.ndarray) -> np.ndarray:
    """Strengthens weak values, whose colours are dark, to keep them visible."""
    return np.sqrt(np.clip(strength, 0, 1))


def index_of(channel: int | str, by_name: Callable[[str], int], count: int) -> int:
    try:
        index = by_name(channel) if isinstance(channel, str) else int(channel)
    except ValueError as error:
        raise UserError(str(error)) from error
    if not 0 <= index < count:
        raise UserError(f"no channel has the number {index}: choose 0 to {count - 1}")
    return index
