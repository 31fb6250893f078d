"""Skeletons over a photo, in OpenPose's colours or in two that tell left from right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pose.errors import UserError
from pose.export import is_found
from pose.results import Person
from pose.skeleton import FACE, KEYPOINTS, LIMBS

Color = tuple[int, int, int]

LEFT: Color = (30, 144, 255)
RIGHT: Color = (255, 149, 0)
CENTRE: Color = (245, 245, 245)
"""Blue and orange stay apart with every common kind of colour blindness (Okabe and Ito, 2008)."""

PALETTES = ("openpose", "sides")

LIMB_WIDTH = 0.066
"""Width of a limb as a share of the torso's length."""

FACE_SHARE = 0.55
"""Face limbs and points are finer than the body's."""

LIMB_OPACITY = 0.8
BLACK_OPACITY = 0.6
"""On black, limbs have 60 % of their colour and joints all of it, as OpenPose's stick figures."""

FADED = 0.25
"""Opacity of everyone else while one person is highlighted."""

SHIFT = 4
"""Binary digits of sub-pixel precision in the drawing."""

FAR = 1 << 20
"""Pixels; anything farther out is drawn as if it were there."""


@dataclass(frozen=True)
class DrawSettings:
    """How `draw_people` draws.

    Attributes:
        face: with eyes, ears and the limbs to them; the nose stays either way.
        ids: each person's number, from 1.
        boxes: a box around each person's found keypoints.
        dim: how much of the photo's light is taken away, 0 to 1.
        black: black instead of the photo, as ControlNet wants it.
        highlight: index of the one person to show strongly, the others faded; None, or an index
            that nobody has, for all.
        palette: "openpose", a colour a limb, or "sides", blue left and orange right.
    """

    face: bool = True
    ids: bool = False
    boxes: bool = False
    dim: float = 0.0
    black: bool = False
    highlight: int | None = None
    palette: str = "openpose"

    def __post_init__(self) -> None:
        if self.palette not in PALETTES:
            names = ", ".join(PALETTES)
            raise UserError(f"no palette is called {self.palette!r}; the names are: {names}")
        if not 0 <= self.dim <= 1:
            raise UserError(f"dim must be between 0 and 1, not {self.dim}")


DEFAULTS = DrawSettings()


def draw_people(
    image: np.ndarray,
    people: Sequence[Person],
    settings: DrawSettings = DEFAULTS,
    *,
    ids: Sequence[int] | None = None,
) -> np.ndarray:
    """The photo with everyone's skeleton, at the photo's own resolution.

    Args:
        image: RGB uint8 (H, W, 3), left as it is.
        people: keypoints in pixels of the photo.
        settings: what is drawn and how.
        ids: numbers to show instead of 1, 2, 3, …, for instance a video's tracks.

    Returns:
        RGB uint8 (H, W, 3).
    """
    canvas = background(image, settings)
    numbers = ids if ids is not None else range(1, len(people) + 1)
    chosen = settings.highlight if settings.highlight in range(len(people)) else None
    # The best person, or the highlighted one, is drawn last and so lies on top.
    order = sorted(range(len(people)), key=lambda i: (i == chosen, -i))
    for i in order:
        faded = chosen is not None and i != chosen
        strength = FADED if faded else 1.0
        draw_person(canvas, people[i], settings, strength)
        if settings.boxes or settings.ids:
            label = str(numbers[i]) if settings.ids else ""
            draw_frame(canvas, people[i], settings, label, strength)
    return canvas


def background(image: np.ndarray, settings: DrawSettings) -> np.ndarray:
    """A new picture to draw on: the photo, darker where asked for, or black."""
    if settings.black:
        return np.zeros_like(image, order="C")
    if settings.dim:
        return cv2.convertScaleAbs(np.ascontiguousarray(image), alpha=1 - settings.dim)
    return np.array(image, order="C")


def draw_person(
    canvas: np.ndarray, person: Person, settings: DrawSettings, strength: float = 1.0
) -> None:
    """Draws one skeleton into `canvas`: limbs that let the photo shine through, then joints."""
    found = is_found(person.keypoints)
    if not settings.face:
        found &= ~np.isin(np.arange(len(found)), FACE[1:])
    if not found.any():
        return
    width = limb_width(person, canvas.shape[:2])
    points = np.clip(np.nan_to_num(person.keypoints[:, :2].astype(np.float64)), -FAR, FAR)
    window = window_around(points[found], 2 * width + 2, canvas.shape[:2])
    region = canvas[window]
    if not region.size:
        return
    points = points - (window[1].start, window[0].start)

    layer = region.copy()
    for i, limb in enumerate(LIMBS):
        if limb.drawn and found[limb.start] and found[limb.end]:
            fine = limb.start in FACE and limb.end in FACE
            outline = capsule(
                points[limb.start], points[limb.end], width * (FACE_SHARE if fine else 1.0)
            )
            cv2.fillConvexPoly(layer, outline, limb_color(i, settings), cv2.LINE_AA, SHIFT)
    blend(region, layer, (BLACK_OPACITY if settings.black else LIMB_OPACITY) * strength)

    layer = region.copy()
    for i in np.flatnonzero(found):
        radius = 0.66 * width * (FACE_SHARE if i in FACE else 1.0)
        if not settings.black:
            disc(layer, points[i], radius + max(0.6, 0.14 * width), (20, 20, 20))
        disc(layer, points[i], radius, keypoint_color(i, settings))
    blend(region, layer, strength)


def draw_frame(
    canvas: np.ndarray, person: Person, settings: DrawSettings, label: str, strength: float
) -> None:
    """Draws a thin box around a person, where asked for, and a number at its upper left."""
    found = is_found(person.keypoints)
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
        blend(canvas, layer, strength)


def draw_label(layer: np.ndarray, label: str, corner: tuple[int, int]) -> None:
    """Writes a short label on a dark tag whose lower left is `corner`, kept inside the picture."""
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


def limb_width(person: Person, image_size: tuple[int, int]) -> float:
    """Pixels a limb is wide: a share of the person's torso, within what the photo can carry."""
    short_side = min(image_size)
    low = max(1.5, short_side / 320)
    return float(np.clip(LIMB_WIDTH * torso_length(person), low, max(low, short_side / 24)))


def torso_length(person: Person) -> float:
    """Pixels from neck to hips, estimated from whatever of the person was found.

    Shoulders of an adult seen from the front are about 0.75 torsos wide, a face from ear to ear
    about 0.3; seen from the side they look narrower, so the largest estimate counts.
    """
    points = person.keypoints.astype(np.float64)
    found = is_found(points)

    def distance(a: int, b: int) -> float:
        return float(np.hypot(*(points[a, :2] - points[b, :2]))) if found[a] and found[b] else 0.0

    shoulders, face = distance(2, 5) / 0.75, max(distance(14, 15) / 0.14, distance(16, 17) / 0.3)
    torso = max(distance(1, 8), distance(1, 11), shoulders)
    if torso:
        return torso
    return face or 0.35 * max(person.box[2:])


def keypoint_color(index: int, settings: DrawSettings) -> Color:
    """RGB of a keypoint."""
    keypoint = KEYPOINTS[index]
    return keypoint.color if settings.palette == "openpose" else side_color(keypoint.name)


def limb_color(index: int, settings: DrawSettings) -> Color:
    """RGB of a limb; with the palette "sides" that of the end which has a side."""
    limb = LIMBS[index]
    if settings.palette == "openpose":
        return limb.color
    start, end = (side_color(KEYPOINTS[k].name) for k in (limb.start, limb.end))
    return start if end == CENTRE else end


def side_color(name: str) -> Color:
    if name.startswith("left"):
        return LEFT
    return RIGHT if name.startswith("right") else CENTRE


def window_around(
    points: np.ndarray, margin: float, image_size: tuple[int, int]
) -> tuple[slice, slice]:
    """The part of the picture that holds `points` and `margin` pixels around, as slices."""
    height, width = image_size
    low = np.floor(points.min(0) - margin).astype(int)
    high = np.ceil(points.max(0) + margin).astype(int) + 1
    (left, right), (top, bottom) = (
        (max(0, int(low[axis])), min(side, max(0, int(high[axis]))))
        for axis, side in ((0, width), (1, height))
    )
    return slice(top, bottom), slice(left, right)


def capsule(start: np.ndarray, end: np.ndarray, width: float) -> np.ndarray:
    """Outline of a line with round ends, int32 (n, 2) in fixed point with `SHIFT` digits."""
    along = end - start
    angle = np.arctan2(along[1], along[0])
    half_turn = np.linspace(-np.pi / 2, np.pi / 2, 9)
    turns = np.concatenate([angle + half_turn, angle + np.pi + half_turn])
    centres = np.repeat([end, start], len(half_turn), axis=0)
    outline = centres + width / 2 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return fixed_point(outline)


def disc(layer: np.ndarray, centre: np.ndarray, radius: float, color: Color) -> None:
    x, y = (int(v) for v in fixed_point(centre))
    cv2.circle(layer, (x, y), round(radius * (1 << SHIFT)), color, -1, cv2.LINE_AA, SHIFT)


def fixed_point(values: np.ndarray) -> np.ndarray:
    return np.round(values * (1 << SHIFT)).astype(np.int32)


def blend(region: np.ndarray, layer: np.ndarray, opacity: float) -> None:
    """Puts `layer` over `region`, in place."""
    region[:] = layer if opacity >= 1 else cv2.addWeighted(layer, opacity, region, 1 - opacity, 0)
