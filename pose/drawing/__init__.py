"""Skeletons, heatmaps and PAFs drawn over a photo, as RGB arrays.

    draw_people(image, people, DrawSettings(ids=True))   skeletons; also `PoseResult.draw`
    heatmap_figure(image, maps, "left wrist")            a heatmap with a colour bar
    paf_figure(image, maps, "neck – nose", "arrows")     a PAF: magnitude, direction or arrows
    heatmap_layer, paf_layer                             the same without frame and scale
    heatmap_range, paf_range                             colour scales, to share between figures

Importing this loads neither PyTorch nor Matplotlib; Matplotlib is imported by the first figure.
"""

from __future__ import annotations

from pose.drawing.fields import heatmap_figure, paf_figure
from pose.drawing.layers import (
    ALL_KEYPOINTS,
    ALL_LIMBS,
    PAF_KINDS,
    PafKind,
    heatmap_layer,
    heatmap_range,
    paf_layer,
    paf_range,
)
from pose.drawing.settings import CONTROLNET, PALETTES, WIDTHS, DrawSettings
from pose.drawing.skeletons import draw_people

__all__ = [
    "ALL_KEYPOINTS",
    "ALL_LIMBS",
    "CONTROLNET",
    "PAF_KINDS",
    "PALETTES",
    "WIDTHS",
    "DrawSettings",
    "PafKind",
    "draw_people",
    "heatmap_figure",
    "heatmap_layer",
    "heatmap_range",
    "paf_figure",
    "paf_layer",
    "paf_range",
]
