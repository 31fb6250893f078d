"""One affine warp from the JPEG straight to the crop: scale, rotation, shift and flip at once.

Nothing is rotated or resized at the image's own size, which is what dominates other loaders.
Pixel coordinates count pixel centres, as in `pose.geometry`.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from pose.images.load import readable_formats
from pose.skeleton import HEATMAP_FLIP, NUM_KEYPOINTS
from train.data.annotations import AnnotatedImage, Crop
from train.data.photo_files import turn
from train.settings import TrainSettings

TARGET_HEIGHT = 0.6
"""A person's box is scaled to 0.6 of the crop, then by the random factor (Caffe pipeline)."""

BORDER = (128, 128, 128)
"""Colour outside the image (Caffe pipeline)."""

WHOLE_IMAGE_SCALE = (0.75, 1.25)
"""Random factor on the scale at which the shorter side of the photo is as long as the crop."""

REDUCED_FLAGS = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
}


@dataclass(frozen=True)
class Warp:
    """A map from image pixels to crop pixels.

    Attributes:
        crop: width and height of the crop in pixels.
        matrix: float64 (2, 3).
        scale: crop pixels per image pixel.
        flipped: whether left and right change places.
    """

    crop: int
    matrix: np.ndarray
    scale: float
    flipped: bool


def draw_warp(
    rng: np.random.Generator, labels: AnnotatedImage, crop: Crop, settings: TrainSettings
) -> Warp:
    """Draws a sample's warp by the published rules, or a crop of the photo at its own scale."""
    # Every number is drawn whatever the settings, so that one setting does not shift the others.
    whole, size, turn, *offset, mirror, x, y = rng.random(8)
    if whole < settings.whole_image:
        low, high = WHOLE_IMAGE_SCALE
        scale = settings.crop / min(labels.size) * (low + (high - low) * size)
        height, width = labels.size
        window = settings.crop / scale
        centre = (inside(x, width, window), inside(y, height, window))
    else:
        factor = settings.scale_min + (settings.scale_max - settings.scale_min) * size
        scale = TARGET_HEIGHT * settings.crop / crop.height * factor
        centre = crop.centre
    shift = (2 * np.array(offset) - 1) * settings.shift
    angle = (2 * turn - 1) * settings.rotation
    return make_warp(settings.crop, centre, scale, angle, shift, bool(mirror < settings.flip))


def inside(share: float, length: int, window: float) -> float:
    """A centre such that a window of that length stays in the image, or the image's middle."""
    room = max(0.0, length - window)
    return (length - room) / 2 + share * room - 0.5


def make_warp(
    crop: int,
    centre: tuple[float, float],
    scale: float,
    degrees: float = 0.0,
    shift: np.ndarray | tuple[float, float] = (0.0, 0.0),
    flipped: bool = False,
) -> Warp:
    """The warp that takes `centre` (image pixels) to the crop's centre minus `shift`."""
    angle = np.deg2rad(degrees)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    offset = (crop - 1) / 2 - np.asarray(shift) - linear @ np.asarray(centre)
    matrix = np.column_stack([linear, offset])
    if flipped:
        matrix[0] = -matrix[0]
        matrix[0, 2] += crop - 1
    return Warp(crop, matrix, float(scale), flipped)


def warp_keypoints(keypoints: np.ndarray, warp: Warp) -> np.ndarray:
    """(P, 18, 3) in image pixels → (P, 18, 3) in crop pixels, left and right swapped on a flip."""
    moved = keypoints.copy()
    moved[..., :2] = keypoints[..., :2] @ warp.matrix[:, :2].T + warp.matrix[:, 2]
    return moved[:, HEATMAP_FLIP[:NUM_KEYPOINTS]] if warp.flipped else moved


def near_crop(keypoints: np.ndarray, crop: int, margin: float) -> np.ndarray:
    """The people (P', 18, 3) whose keypoints' extent touches the crop with a margin in pixels."""
    if not len(keypoints):
        return keypoints
    low, high = np.nanmin(keypoints[..., :2], 1), np.nanmax(keypoints[..., :2], 1)
    return keypoints[((low < crop + margin) & (high > -margin)).all(1)]


def warp_encoded(
    encoded: bytes, warp: Warp, size: tuple[int, int], orientation: int = 1
) -> np.ndarray:
    """Decodes an image and warps it.

    A JPEG that will shrink is decoded at a half, a quarter or an eighth, which is faster and
    does not alias.

    Args:
        encoded: the file's bytes.
        warp: the crop.
        size: (height, width) of the turned image.
        orientation: EXIF orientation to turn it by.

    Returns:
        RGB uint8 (crop, crop, 3).

    Raises:
        ValueError: the image is broken or has another size.
    """
    jpeg = encoded[:2] == b"\xff\xd8"
    if jpeg and encoded.rfind(b"\xff\xd9") < len(encoded) // 2:
        raise ValueError("the file ends early")
    reducible = jpeg and orientation == 1  # a turned reduced image may start inside a block
    factor = next((f for f in REDUCED_FLAGS if reducible and f * warp.scale <= 1), 1)
    flags = REDUCED_FLAGS.get(factor, cv2.IMREAD_COLOR) | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(encoded, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        image = decode_with_pillow(encoded)
    image = turn(image, orientation)
    if image.shape[:2] != (-(-size[0] // factor), -(-size[1] // factor)):
        raise ValueError("its size is not the annotated one")
    crop = cv2.warpAffine(
        image,
        from_resized(warp.matrix, factor),
        (warp.crop, warp.crop),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=BORDER,
    )
    return cv2.cvtColor(crop, cv2.COLOR_BGR2RGB)


def decode_with_pillow(encoded: bytes) -> np.ndarray:
    """BGR uint8 (H, W, 3) of a kind of file that OpenCV cannot read, such as GIF.

    Raises:
        ValueError: it is not an image.
    """
    try:
        with Image.open(io.BytesIO(encoded), formats=readable_formats()) as image:
            return np.asarray(image.convert("RGB"))[..., ::-1]
    except Exception:  # Pillow reports damage with a dozen kinds
        raise ValueError("the file is not an image") from None


def from_resized(matrix: np.ndarray, factor: float | np.ndarray) -> np.ndarray:
    """The same map (2, 3) from a resized image: p = (q + 0.5) * factor - 0.5.

    Args:
        factor: pixels of the image per pixel of the resized one; a number, or x and y.
    """
    moved = np.array(matrix, np.float64)
    moved[:, 2] += matrix[:, :2] @ np.broadcast_to(0.5 * factor - 0.5, 2)
    moved[:, :2] *= factor
    return moved
