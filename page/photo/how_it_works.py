"""How it works, on this photo: input → heatmaps → PAFs → candidates → people."""

from __future__ import annotations

from html import escape

import numpy as np

from page.components import data_uri
from page.i18n.labels import say
from page.images import reduced, scaled
from page.photo.session import Session
from pose import PoseResult
from pose.drawing import draw_people
from pose.drawing.skeletons import disc
from pose.drawing.tinting import colored, dimmed, hues, strongest, tint, upsample
from pose.skeleton import BACKGROUND, KEYPOINTS, LIMBS

SIDE = 360
"""Longer side of a step's picture in pixels."""

STEPS = ("input", "heatmaps", "pafs", "candidates", "together")


def step_pictures(result: PoseResult, photo: np.ndarray) -> list[np.ndarray]:
    """Five pictures of the photo's size, RGB uint8 (h, w, 3), in the order of `STEPS`."""
    size = (photo.shape[0], photo.shape[1])
    maps = result.maps
    grey = dimmed(photo, size)

    strongest_keypoint = upsample(maps.heatmaps[:BACKGROUND].max(0), maps.grid, size).clip(0, 1)
    heat = tint(grey, colored(strongest_keypoint), np.sqrt(strongest_keypoint))

    pairs = maps.pafs.reshape(len(LIMBS), 2, *maps.pafs.shape[1:])
    x, y = strongest(pairs, maps.grid, size)
    fields = tint(grey, hues(np.arctan2(y, x)), np.hypot(x, y))

    candidates = grey.copy()
    peaks = result.candidates.peaks
    factor = size[1] / result.image_size[1]
    positions = (maps.grid.to_image(peaks.positions) + 0.5) * factor - 0.5
    for channel, position in zip(peaks.channels, positions, strict=True):
        disc(candidates, position, max(size) / 80, (20, 20, 20))
        disc(candidates, position, max(size) / 110, KEYPOINTS[channel].color)

    people = draw_people(photo, scaled(result.people, factor))
    return [photo, heat, fields, candidates, people]


def steps_html(session: Session, language: str = "en") -> str:
    """The five pictures of A with a sentence each, as HTML."""
    pictures = step_pictures(session.a.result, reduced(session.shown, SIDE))
    figures = []
    for step, picture in zip(STEPS, pictures, strict=True):
        title, text = say(f"step_{step}", language), say(f"step_{step}_text", language)
        figures.append(
            f'<figure><img src="{data_uri(picture)}" alt="{escape(title)}">'
            f"<figcaption><b>{escape(title)}</b> {escape(text)}</figcaption></figure>"
        )
    return f'<div class="steps">{"".join(figures)}</div>'
