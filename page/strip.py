"""How it works, for this photo: input → heatmaps → PAFs → candidates → people."""

from __future__ import annotations

import base64
from html import escape
from io import BytesIO

import numpy as np
from PIL import Image

from page.labels import say
from page.session import Session, Side, reduced, scaled
from pose.peaks import find_peaks
from pose.render import DrawSettings, disc, draw_people
from pose.skeleton import BACKGROUND, KEYPOINTS, LIMBS
from pose.tinting import colored, dimmed, hues, strongest, tint, upsample

SIDE = 360
"""Longer side of a picture of the strip in pixels."""

STEPS = ("input", "heatmaps", "pafs", "candidates", "together")


def strip_pictures(session: Session, side: Side) -> list[np.ndarray]:
    """Five pictures, RGB uint8 (h, w, 3), in the order of `STEPS`."""
    photo = reduced(session.shown, SIDE)
    size = photo.shape[:2]
    maps = side.result.maps
    grey = dimmed(photo, size)

    joints = np.clip(upsample(maps.heatmaps[:BACKGROUND].max(0), maps.grid, size), 0, 1)
    heat = tint(grey, colored(joints), np.sqrt(joints))

    pairs = maps.pafs.reshape(len(LIMBS), 2, *maps.pafs.shape[1:])
    x, y = strongest(pairs, maps.grid, size)
    fields = tint(grey, hues(np.arctan2(y, x)), np.hypot(x, y))

    candidates = grey.copy()
    peaks = find_peaks(maps.heatmaps, session.settings.peak_threshold)
    factor = photo.shape[1] / session.photo.shape[1]
    places = (maps.grid.to_image(peaks.positions) + 0.5) * factor - 0.5
    for part, place in zip(peaks.parts, places, strict=True):
        disc(candidates, place, max(size) / 80, (20, 20, 20))
        disc(candidates, place, max(size) / 110, KEYPOINTS[part].color)

    together = draw_people(photo, scaled(side.people, factor), DrawSettings())
    return [photo, heat, fields, candidates, together]


def strip(session: Session, language: str = "en") -> str:
    """The five pictures with a sentence each, as HTML."""
    figures = []
    for step, picture in zip(STEPS, strip_pictures(session, session.a), strict=True):
        title, text = say(f"step_{step}", language), say(f"step_{step}_text", language)
        figures.append(
            f'<figure><img src="{data_uri(picture)}" alt="{escape(title)}">'
            f"<figcaption><b>{escape(title)}</b> {escape(text)}</figcaption></figure>"
        )
    return f'<div class="steps">{"".join(figures)}</div>'


def data_uri(picture: np.ndarray) -> str:
    memory = BytesIO()
    Image.fromarray(picture).save(memory, "jpeg", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(memory.getvalue()).decode()
