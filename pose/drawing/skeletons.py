"""Skeletons over a photo, in OpenPose's colours or in one colour per side of the body."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np

from pose.drawing.settings import DrawSettings
from pose.drawing.widths import keypoint_shares, limb_width, limb_widths
from pose.person import Person
from pose.skeleton import FACE, KEYPOINTS, LIMBS

Color = tuple[int, int, int]

LEFT: Color = (30, 144, 255)
RIGHT: Color = (255, 149, 0)
CENTRE: Color = (245, 245, 245)
"""Blue and orange differ for every common kind of colour blindness (Okabe and Ito, 2008)."""

FACE_SHARE = 0.55
"""Size of the face's limbs and keypoints relative to the body's."""

LIMB_OPACITY = 0.8
BLACK_OPACITY = 0.6
"""On black, limbs have 60 % of their colour and keypoints all of it, as in OpenPose."""

FADED = 0.25
"""Opacity of everyone else while one person is highlighted."""

SHIFT = 4
"""Fractional bits of OpenCV's fixed-point coordinates."""

FAR = 1 << 20
"""Coordinates are clipped to this many pixels, which fixed point can hold."""


DEFAULTS = DrawSettings()


def draw_people(
    image: np.ndarray,
    people: Sequence[Person],
    settings: DrawSettings = DEFAULTS,
    *,
    ids: Sequence[int] | None = None,
) -> np.ndarray:
    """The photo with everyone's skeleton, RGB uint8 (H, W, 3) at the photo's own resolution.

    Args:
        image: RGB uint8 (H, W, 3), not modified.
        people: with keypoints in pixels of the photo.
        settings: what to draw and how.
        ids: numbers to show instead of 1, 2, 3, …, for instance a video's track ids.
    """
    canvas = background(image, settings)
    numbers = ids if ids is not None else range(1, len(people) + 1)
    chosen = settings.highlight if settings.highlight in range(len(people)) else None
    widths = limb_widths(people, settings, canvas.shape[:2])
    # Worst score first, so that the best person, or the highlighted one, lies on top.
    for i in sorted(range(len(people)), key=lambda i: (i == chosen, -i)):
        strength = 1.0 if chosen in (None, i) else FADED
        draw_person(canvas, people[i], settings, widths[i], strength)
        if settings.boxes or settings.ids:
            label = str(numbers[i]) if settings.ids else ""
            draw_frame(canvas, people[i], settings, label, strength)
    return canvas


def background(image: np.ndarray, settings: DrawSettings) -> np.ndarray:
    """A new picture to draw on: a copy of the photo, darkened if asked for, or black."""
    if settings.black:
        return np.zeros_like(image, order="C")
    if settings.dim:
        return cv2.convertScaleAbs(np.ascontiguousarray(image), alpha=1 - settings.dim)
    return np.array(image, order="C")


def draw_person(
    canvas: np.ndarray, person: Person, settings: DrawSettings, width: float, strength: float
) -> None:
    """Draws one skeleton into `canvas`: translucent limbs, then opaque keypoints."""
    found = person.found
    if not settings.face:
        found &= ~np.isin(np.arange(len(found)), FACE[1:])
    if not found.any():
        return
    points = np.clip(np.nan_to_num(person.keypoints[:, :2].astype(np.float64)), -FAR, FAR)
    window = window_around(points[found], 2 * width + 2, canvas.shape[:2])
    region = canvas[window]
    if not region.size:
        return
    points = points - (window[1].start, window[0].start)
    keypoint_colors, limb_colors = palette_colors(settings.palette)
    controlnet = settings.width == "controlnet"
    outline = ellipse if controlnet else capsule
    face_share = 1.0 if controlnet else FACE_SHARE
    shares = keypoint_shares(person, settings)

    layer, opacity = region.copy(), np.zeros(region.shape[:2], np.float32)
    most = (BLACK_OPACITY if settings.black else LIMB_OPACITY) * strength
    for i, limb in enumerate(LIMBS):
        if limb.drawn and found[limb.start] and found[limb.end]:
            ends, share = (
                (points[limb.start], points[limb.end]),
                min(shares[limb.start], shares[limb.end]),
            )
            wide = width * share * (face_share if limb.start in FACE and limb.end in FACE else 1.0)
            cv2.fillConvexPoly(layer, outline(*ends, wide), limb_colors[i], cv2.LINE_AA, SHIFT)
            cv2.fillConvexPoly(opacity, outline(*ends, wide + 2), most * share, shift=SHIFT)
    blend(region, layer, opacity)

    layer, opacity = region.copy(), np.zeros(region.shape[:2], np.float32)
    for i in np.flatnonzero(found).tolist():
        radius = width * shares[i] * (0.5 if controlnet else 0.66)
        radius *= face_share if i in FACE else 1.0
        rim = 0 if settings.black else radius + max(0.6, 0.14 * width)
        if rim:
            disc(layer, points[i], rim, (20, 20, 20))
        disc(layer, points[i], radius, keypoint_colors[i])
        centre = [int(v) for v in fixed_point(points[i])]
        cv2.circle(
            opacity,
            centre,
            round((max(rim, radius) + 2) * (1 << SHIFT)),
            strength * shares[i],
            -1,
            shift=SHIFT,
        )
    blend(region, layer, opacity)


def draw_frame(
    canvas: np.ndarray, person: Person, settings: DrawSettings, label: str, strength: float
) -> None:
    """Draws a thin box around a person and a number at its upper left, each if asked for."""
    found = person.found
    if not found.any():
        return
    margin = 1.5 * limb_width(person, canvas.shape[:2])
    points = np.clip(person.keypoints[found, :2], -FAR, FAR)
    left, top = (round(float(v - margin)) for v in points.min(0))
    right, bottom = (round(float(v + margin)) for v in points.max(0))
    thin = max(1, round(min(canvas.shape[:2]) / 400))
    layer = canvas if strength >= 1 else canvas.copy()
    if settings.boxes:
        for color, thickness in (((20, 20, 20), thin + 2), (CENTRE, thin)):
            cv2.rectangle(layer, (left, top), (right, bottom), color, thickness, cv2.LINE_AA)
    if label:
        draw_label(layer, label, (left, top))
    if layer is not canvas:
        blend(canvas, layer, np.full(canvas.shape[:2], strength, np.float32))


def draw_label(layer: np.ndarray, label: str, corner: tuple[int, int]) -> None:
    """Writes a label on a dark tag whose lower left is `corner`, kept inside the picture."""
    height, width = layer.shape[:2]
    size = max(0.35, min(height, width) / 900)
    thickness = max(1, round(1.6 * size))
    (wide, high), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, size, thickness)
    pad = max(2, high // 3)
    x = int(np.clip(corner[0], 0, max(0, width - wide - 2 * pad)))
    y = int(np.clip(corner[1], high + 2 * pad, max(high + 2 * pad, height)))
    cv2.rectangle(layer, (x, y - high - 2 * pad), (x + wide + 2 * pad, y), (20, 20, 20), -1)
    place = (x + pad, y - pad)
    cv2.putText(layer, label, place, cv2.FONT_HERSHEY_SIMPLEX, size, CENTRE, thickness, cv2.LINE_AA)


@cache
def palette_colors(palette: str) -> tuple[list[Color], list[Color]]:
    """RGB of every keypoint and every limb; a limb has the side of its end, or else its start."""
    if palette == "openpose":
        return [keypoint.color for keypoint in KEYPOINTS], [limb.color for limb in LIMBS]
    by_side = {"left": LEFT, "right": RIGHT}
    sides = [by_side.get(keypoint.name.split()[0], CENTRE) for keypoint in KEYPOINTS]
    return sides, [sides[x.start if sides[x.end] == CENTRE else x.end] for x in LIMBS]


def window_around(
    points: np.ndarray, margin: float, image_size: tuple[int, int]
) -> tuple[slice, slice]:
    """Rows and columns of the picture that hold `points` with a margin."""
    size = image_size[::-1]
    left, top = np.clip(np.floor(points.min(0) - margin).astype(int), 0, size).tolist()
    right, bottom = np.clip(np.ceil(points.max(0) + margin).astype(int) + 1, 0, size).tolist()
    return slice(top, bottom), slice(left, right)


def capsule(start: np.ndarray, end: np.ndarray, width: float) -> np.ndarray:
    """Outline of a line with round ends, int32 (n, 2) in fixed point."""
    angle = np.arctan2(*(end - start)[::-1])
    half_turn = np.linspace(-np.pi / 2, np.pi / 2, 9)
    turns = np.concatenate([angle + half_turn, angle + np.pi + half_turn])
    centres = np.repeat([end, start], len(half_turn), axis=0)
    outline = centres + width / 2 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return fixed_point(outline)


def ellipse(start: np.ndarray, end: np.ndarray, width: float) -> np.ndarray:
    """Outline of an ellipse from one point to the other, int32 (n, 2) in fixed point."""
    along = (end - start) / 2
    across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6) * width / 2
    turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)[:, None]
    return fixed_point((start + end) / 2 + np.cos(turn) * along + np.sin(turn) * across)


def disc(layer: np.ndarray, centre: np.ndarray, radius: float, color: Color) -> None:
    x, y = (int(v) for v in fixed_point(centre))
    cv2.circle(layer, (x, y), round(radius * (1 << SHIFT)), color, -1, cv2.LINE_AA, SHIFT)


def fixed_point(values: np.ndarray) -> np.ndarray:
    return np.round(values * (1 << SHIFT)).astype(np.int32)


def blend(region: np.ndarray, layer: np.ndarray, opacity: np.ndarray) -> None:
    """Blends `layer` over `region`, in place; `opacity` is float32 (H, W)."""
    region[:] = cv2.blendLinear(layer, region, opacity, 1 - opacity)
