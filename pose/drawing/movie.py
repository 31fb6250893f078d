"""A video with something drawn on its frames: reading, drawing and encoding overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np

from pose.engines.prefetch import ahead, in_thread
from pose.images.video import CutOff, Frame, read_frames
from pose.images.video_writer import VideoWriter

FRAMES_AHEAD = 4
"""Frames read while others are drawn, and drawn while others are encoded."""


def draw_movie(
    source: Path, target: Path, count: int, draw: Callable[[int, np.ndarray], np.ndarray | None]
) -> None:
    """Writes the first `count` frames of a video with its sound, however long it is.

    Args:
        draw: gives a frame's picture from its number and its RGB, in another thread; None leaves
            the frame out.

    Raises:
        UserError: the video cannot be read, or the file not be written.
    """

    def frames() -> Iterator[tuple[int, Frame]]:
        with suppress(CutOff):  # said where people were searched
            yield from enumerate(islice(read_frames(source), count))

    def drawn(numbered: tuple[int, Frame]) -> tuple[np.ndarray | None, Frame]:
        number, frame = numbered
        return draw(number, frame.image), frame

    pictures = ahead(drawn, in_thread(frames(), FRAMES_AHEAD), threads=1, depth=FRAMES_AHEAD)
    with VideoWriter(target, sound=source) as writer:
        for picture, frame in pictures:
            if picture is not None:
                writer.add(picture, frame.time, frame.duration)
