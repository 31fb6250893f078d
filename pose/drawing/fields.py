"""Heatmaps and part affinity fields (PAFs) over the photo, as figures with a colour scale.

Only Matplotlib's object-oriented interface is used, which has no global state: several threads
may draw at once.
"""

from __future__ import annotations

import numpy as np

from pose.decoding.field_maps import FieldMaps
from pose.drawing.figure import color_bar, color_wheel, freed, layout_of, new_figure, rendered
from pose.drawing.layers import (
    ARROW_COLORS,
    PAF_KINDS,
    PafKind,
    heatmap_field,
    heatmap_over,
    heatmap_range,
    paf_fields,
    paf_over,
    paf_range,
)
from pose.drawing.tinting import COLORS, dimmed
from pose.errors import UserError


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
        channel: 0 to 18, a keypoint's name, "background" or "all keypoints" (their maximum).
        vmin, vmax: ends of the colour scale, by default those of `heatmap_range`; pass the same
            ones to figures that will be compared.
        title: heading instead of the channel's name; the font has Latin letters only.

    Returns:
        RGB uint8 (h, w, 3). The photo keeps its resolution unless it is narrower than 800 pixels
        or longer than 2000.

    Raises:
        UserError: no such channel.
    """
    _, name = heatmap_field(maps, channel)
    low, high = scale_of(heatmap_range(maps, channel), vmin, vmax)
    layout = layout_of(image)
    picture = heatmap_over(dimmed(image, layout.photo), maps, channel, low, high)
    figure = new_figure(layout, title or f"Heatmap: {name}")
    color_bar(figure, layout, low, high, "confidence")
    return rendered(figure, layout, picture)


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
        limb: 0 to 18, a limb's name, or "all limbs" (the longest vector in each cell).
        kind: "magnitude", the vectors' length, with a colour bar; "direction", hue for the angle
            and opacity for the length, with a colour wheel; "arrows", one per cell.
        image, maps, vmin, vmax, title: as in `heatmap_figure`; the scale is of the length.

    Returns:
        RGB uint8 (h, w, 3), sized as in `heatmap_figure`.

    Raises:
        UserError: no such limb or kind.
    """
    if kind not in PAF_KINDS:
        raise UserError(f"no PAF figure is called {kind!r}: choose {', '.join(PAF_KINDS)}")
    _, name = paf_fields(maps, limb)
    low, high = scale_of(paf_range(maps, limb), vmin, vmax)
    layout = layout_of(image)
    picture = paf_over(dimmed(image, layout.photo), maps, limb, kind, low, high)
    figure = new_figure(layout, title or f"PAF {kind}: {name}")
    if kind == "direction":
        color_wheel(figure, layout, high)
    else:
        color_bar(figure, layout, low, high, "length", ARROW_COLORS if kind == "arrows" else COLORS)
    return rendered(figure, layout, picture)


def scale_of(
    automatic: tuple[float, float], vmin: float | None, vmax: float | None
) -> tuple[float, float]:
    low = automatic[0] if vmin is None else float(vmin)
    high = automatic[1] if vmax is None else float(vmax)
    if not low < high:
        raise UserError(f"the colour scale must rise, not run from {low} to {high}")
    return low, high
