"""The pictures of a session: skeletons, heatmaps and PAFs, the black picture, the comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import cv2
import numpy as np

from page.images import scaled
from page.photo.differences import differences, draw_differences
from page.photo.session import Session, Side
from page.photo.views import COLUMNS
from pose import FieldMaps, Person, UserError
from pose.drawing import (
    ALL_KEYPOINTS,
    CONTROLNET,
    PAF_KINDS,
    DrawSettings,
    PafKind,
    draw_people,
    heatmap_figure,
    heatmap_layer,
    heatmap_range,
    paf_figure,
    paf_layer,
    paf_range,
)

HEATMAP = "heatmap"
KINDS = (HEATMAP, *PAF_KINDS)
STAGES = 6

SIZES = (512, 768, 1024)
"""Shorter sides of the black picture; 0 stands for the photo's own size."""

CELL = 64
"""ControlNet's pictures have sides that are multiples of this."""


@dataclass(frozen=True)
class FieldChoice:
    """Which field of the network to draw.

    Attributes:
        kind: "heatmap", or a PAF as "magnitude", "direction" or "arrows".
        channel: a keypoint's or a limb's name, as `heatmap_figure` and `paf_figure` take it.
        stage: 1 to 6.

    Raises:
        UserError: no such kind or stage.
    """

    kind: str = HEATMAP
    channel: str = ALL_KEYPOINTS
    stage: int = STAGES

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UserError(f"no field is called {self.kind!r}; the kinds are: {', '.join(KINDS)}")
        if not 1 <= self.stage <= STAGES:
            raise UserError(f"the stage is a number from 1 to {STAGES}, not {self.stage}")


@dataclass(frozen=True)
class Layer:
    """A field over the photo, RGB uint8 of the photo's size, and the end of its colour scale."""

    picture: np.ndarray
    high: float


def draw_side(session: Session, side: Side, settings: DrawSettings) -> np.ndarray:
    """The photo at the size of the screen with the skeletons of a side."""
    return draw_people(session.shown, scaled(side.result.people, session.scale), settings)


def stage_maps(side: Side, stage: int) -> FieldMaps:
    """The maps of a stage; the last where the network has fewer."""
    stages = side.result.stages or (side.result.maps,)
    return stages[min(stage, len(stages)) - 1]


def scale_end(sides: Sequence[Side], choice: FieldChoice) -> float:
    """The end of the one colour scale for all sides.

    Raises:
        UserError: no such channel.
    """
    measure = heatmap_range if choice.kind == HEATMAP else paf_range
    return max(measure(stage_maps(side, choice.stage), choice.channel)[1] for side in sides)


def draw_layer(session: Session, side: Side, choice: FieldChoice, opacity: float) -> Layer:
    """A side's field over the photo at the size of the screen.

    Raises:
        UserError: no such channel.
    """
    high = scale_end(session.sides, choice)
    maps = stage_maps(side, choice.stage)
    if choice.kind == HEATMAP:
        picture = heatmap_layer(session.shown, maps, choice.channel, high, opacity)
    else:
        kind = cast(PafKind, choice.kind)
        picture = paf_layer(session.shown, maps, choice.channel, kind, high, opacity)
    return Layer(picture, high)


def draw_field(sides: Sequence[Side], side: Side, choice: FieldChoice) -> np.ndarray:
    """A side's field as a figure with the colour scale of all sides.

    Raises:
        UserError: no such channel.
    """
    high = scale_end(sides, choice)
    maps, photo = stage_maps(side, choice.stage), side.result.image
    if choice.kind == HEATMAP:
        return heatmap_figure(photo, maps, choice.channel, vmin=0, vmax=high)
    kind = cast(PafKind, choice.kind)
    return paf_figure(photo, maps, choice.channel, kind, vmin=0, vmax=high)


def canvas_size(photo: tuple[int, int], shorter: int) -> tuple[int, int]:
    """(height, width) of the black picture with a shorter side of 512, …; 0 for the photo's own."""
    if not shorter:
        return photo
    factor = shorter / min(photo)
    height, width = (max(CELL, round(side * factor / CELL) * CELL) for side in photo)
    return height, width


def on_canvas(side: Side, shorter: int) -> tuple[tuple[int, int], tuple[Person, ...]]:
    """The size of the black picture and the people in its pixels."""
    photo = side.result.image_size
    size = canvas_size(photo, shorter)
    factors = np.array([size[1] / photo[1], size[0] / photo[0]])
    return size, scaled(side.result.people, factors)


def draw_black(side: Side, shorter: int) -> np.ndarray:
    """The skeletons as ControlNet was trained on them."""
    size, people = on_canvas(side, shorter)
    return draw_people(np.zeros((*size, 3), np.uint8), people, CONTROLNET)


def draw_comparison(session: Session, mode: str, settings: DrawSettings) -> np.ndarray:
    """A, B and the annotated people side by side, or the keypoints in which A and B differ."""
    settings = replace(settings, highlight=None)
    if mode == COLUMNS:
        pictures = [draw_side(session, side, settings) for side in session.sides]
        if session.ground_truth is not None:
            known = [entry.person for entry in session.ground_truth]
            pictures.append(draw_people(session.shown, scaled(known, session.scale), settings))
        gap = np.full((session.shown.shape[0], 8, 3), 128, np.uint8)
        return cv2.hconcat([part for picture in pictures for part in (gap, picture)][1:])
    a, b = (
        scaled(side.result.people, session.scale) for side in (session.a, session.b or session.a)
    )
    return draw_differences(session.shown, differences(a, b))
