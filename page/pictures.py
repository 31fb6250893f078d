"""The pictures the page shows: skeletons at display size, fields of A and B with one scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from page.session import Session, Side, scaled
from pose import FieldMaps, UserError
from pose.field_figures import (
    PAF_KINDS,
    heatmap_figure,
    heatmap_range,
    paf_figure,
    paf_range,
)
from pose.render import DrawSettings, draw_people

HEATMAP = "heatmap"
KINDS = (HEATMAP, *PAF_KINDS)
STAGES = 6


def overlay(session: Session, side: Side, settings: DrawSettings) -> np.ndarray:
    """The photo with the skeletons of one side, at display size."""
    return draw_people(session.shown, scaled(side.people, session.scale), settings)


def overlay_pair(session: Session, settings: DrawSettings) -> tuple[np.ndarray, np.ndarray]:
    """What lies left and right of the dividing line: A and B, or the photo and A."""
    first = overlay(session, session.a, settings)
    if session.b is None:
        return session.shown, first
    return first, overlay(session, session.b, settings)


def stage_maps(side: Side, stage: int) -> FieldMaps:
    """The maps of stage 1 to 6; the last where the network has fewer.

    Raises:
        UserError: no such stage.
    """
    if not 1 <= stage <= STAGES:
        raise UserError(f"the stage is a number from 1 to {STAGES}, not {stage}")
    stages = side.result.stages or (side.result.maps,)
    return stages[min(stage, len(stages)) - 1]


def field_pictures(
    photo: np.ndarray, sides: Sequence[Side], kind: str, channel: str, stage: int
) -> list[np.ndarray]:
    """A field of each side over the photo, all with one colour scale.

    Args:
        photo: RGB uint8 (H, W, 3), at the size the maps were made from.
        kind: "heatmap", or a PAF as "magnitude", "direction" or "arrows".
        channel: a joint's or a limb's name, as `heatmap_figure` and `paf_figure` take it.
        stage: 1 to 6.

    Raises:
        UserError: no such kind, channel or stage.
    """
    check_kind(kind)
    maps = [stage_maps(side, stage) for side in sides]
    measure = heatmap_range if kind == HEATMAP else paf_range
    high = max(measure(m, channel)[1] for m in maps)
    if kind == HEATMAP:
        return [heatmap_figure(photo, m, channel, vmin=0, vmax=high) for m in maps]
    return [paf_figure(photo, m, channel, kind, vmin=0, vmax=high) for m in maps]


def check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise UserError(f"no field is called {kind!r}; the kinds are: {', '.join(KINDS)}")
