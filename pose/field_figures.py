"""Heatmaps and part affinity fields (PAFs) over the photo, as figures with a scale.

Matplotlib is imported when a figure is made, and only its object-oriented side is used, which
holds no global state: figures may be made in several threads at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from pose.errors import UserError
from pose.figure_parts import (
    ARROW_COLORS,
    arrows,
    color_bar,
    color_wheel,
    freed,
    layout_of,
    new_figure,
    rendered,
)
from pose.results import FieldMaps
from pose.skeleton import BACKGROUND, KEYPOINTS, LIMBS, keypoint_index, limb_index
from pose.tinting import OPACITY, colored, dimmed, hues, strongest, tint, upsample

ALL_JOINTS = "all joints"
ALL_LIMBS = "all limbs"

PafKind = Literal["magnitude", "direction", "arrows"]
PAF_KINDS: tuple[PafKind, ...] = get_args(PafKind)

LEAST_SCALE = 0.1
"""The end of an automatic colour scale is never below this, so that noise stays dark."""

BACKGROUND_OPACITY = 0.65


@freed
def heatmap_figure(
    image: np.ndarray,
    maps: FieldMaps,
    channel: int | str,
    *,
    vmin: float | None = None,
    vmax: float | None = None,
    title: str | None = None,
) -> np.ndarray:
    """A heatmap over the photo, with a colour bar.

    Args:
        image: RGB uint8 (H, W, 3), the photo.
        maps: its maps.
        channel: 0 to 18, a keypoint's name, "background" or "all joints" (the largest of the 18).
        vmin, vmax: ends of the colour scale; by default those of `heatmap_range`. Give the same
            to two figures that are to be compared.
        title: heading instead of the channel's name; Latin letters only, others have no glyph.

    Returns:
        RGB uint8 (h, w, 3) with the photo at its own resolution, enlarged to 800 pixels' width or
        reduced to 2000 on the longer side.

    Raises:
        UserError: no such channel.
    """
    field, name = heatmap_field(maps, channel)
    low, high = scale_of(heatmap_range(maps, channel), vmin, vmax)
    layout = layout_of(image)
    values = upsample(field, maps.grid, layout.photo)
    values -= low
    values /= high - low
    # The background fills the picture, so it has to let more of the photo through.
    opacity = BACKGROUND_OPACITY if name == "background" else OPACITY
    photo = dimmed(image, layout.photo)
    picture = tint(photo, colored(values), soft(values), opacity)
    del values  # 12 MB of a large photo, while Matplotlib takes its own
    figure = new_figure(layout, picture, title or f"Heatmap: {name}")
    color_bar(figure, layout, low, high, "confidence")
    return rendered(figure)


@freed
def paf_figure(
    image: np.ndarray,
    maps: FieldMaps,
    limb: int | str,
    kind: PafKind = "magnitude",
    *,
    vmin: float | None = None,
    vmax: float | None = None,
    title: str | None = None,
) -> np.ndarray:
    """A limb's PAF over the photo.

    Args:
        limb: 0 to 18, a limb's name, or "all limbs" (in each cell the strongest).
        kind: "magnitude", the length of the vectors, with a colour bar; "direction", hue for the
            angle and strength for the length, with a colour wheel; "arrows", one a cell.
        image, maps, vmin, vmax, title: as in `heatmap_figure`; the scale is that of the length.

    Returns:
        RGB uint8 (h, w, 3), as `heatmap_figure`.

    Raises:
        UserError: no such limb or kind.
    """
    if kind not in PAF_KINDS:
        raise UserError(f"no PAF picture is called {kind!r}; the names are: {', '.join(PAF_KINDS)}")
    pairs, name = paf_fields(maps, limb)
    low, high = scale_of(paf_range(maps, limb), vmin, vmax)
    layout = layout_of(image)
    photo = dimmed(image, layout.photo)
    heading = title or f"PAF {kind}: {name}"
    if kind == "arrows":
        figure = new_figure(layout, photo, heading)
        arrows(figure.axes[0], longest(pairs), maps.grid, layout, low, high)
        color_bar(figure, layout, low, high, "length", ARROW_COLORS)
        return rendered(figure)
    x, y = strongest(pairs, maps.grid, layout.photo)
    strength = (np.hypot(x, y) - low) / (high - low)
    if kind == "direction":
        picture = tint(photo, hues(np.arctan2(y, x)), strength)
        figure = new_figure(layout, picture, heading)
        color_wheel(figure, layout, high)
        return rendered(figure)
    figure = new_figure(layout, tint(photo, colored(strength), soft(strength)), heading)
    color_bar(figure, layout, low, high, "length")
    return rendered(figure)


def heatmap_range(maps: FieldMaps, channel: int | str) -> tuple[float, float]:
    """Ends of the colour scale that suits one photo's heatmap channel, from 0."""
    field, _ = heatmap_field(maps, channel)
    rows, columns = maps.grid.used_cells
    return 0.0, max(LEAST_SCALE, float(field[:rows, :columns].max(initial=0.0)))


def paf_range(maps: FieldMaps, limb: int | str) -> tuple[float, float]:
    """Ends of the colour scale that suits the lengths of one photo's PAF, from 0."""
    pairs, _ = paf_fields(maps, limb)
    rows, columns = maps.grid.used_cells
    lengths = np.hypot(pairs[:, 0], pairs[:, 1])[:, :rows, :columns]
    return 0.0, max(LEAST_SCALE, float(lengths.max(initial=0.0)))


def heatmap_field(maps: FieldMaps, channel: int | str) -> tuple[np.ndarray, str]:
    """A heatmap (h, w) and its name."""
    if channel == ALL_JOINTS:
        return maps.heatmaps[:BACKGROUND].max(0), ALL_JOINTS
    names = [*(keypoint.name for keypoint in KEYPOINTS), "background"]
    index = index_of(channel, keypoint_index, len(names))
    return maps.heatmaps[index], names[index]


def paf_fields(maps: FieldMaps, limb: int | str) -> tuple[np.ndarray, str]:
    """The PAFs of one limb or of all, as x and y, (n, 2, h, w), and their name."""
    pairs = maps.pafs.reshape(len(LIMBS), 2, *maps.pafs.shape[1:])
    if limb == ALL_LIMBS:
        return pairs, ALL_LIMBS
    index = index_of(limb, limb_index, len(LIMBS))
    return pairs[index : index + 1], LIMBS[index].name


def longest(pairs: np.ndarray) -> np.ndarray:
    """Of several vector fields (n, 2, h, w) the longest vector in every cell, (2, h, w)."""
    index = np.hypot(pairs[:, 0], pairs[:, 1]).argmax(0)
    return np.take_along_axis(pairs, index[None, None], 0)[0]


def soft(strength: np.ndarray) -> np.ndarray:
    """Lifts weak values, whose colours are dark, so that they are seen as well."""
    return np.sqrt(np.clip(strength, 0, 1))


def index_of(channel: int | str, by_name: Callable[[str], int], count: int) -> int:
    try:
        index = by_name(channel) if isinstance(channel, str) else int(channel)
    except ValueError as error:
        raise UserError(str(error)) from error
    if not 0 <= index < count:
        raise UserError(f"there is no channel {index}; they are 0 to {count - 1}")
    return index


def scale_of(
    automatic: tuple[float, float], vmin: float | None, vmax: float | None
) -> tuple[float, float]:
    low = automatic[0] if vmin is None else float(vmin)
    high = automatic[1] if vmax is None else float(vmax)
    if not low < high:
        raise UserError(f"the colour scale must rise, but goes from {low} to {high}")
    return low, high
