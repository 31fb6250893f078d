"""Video files: frames in, H.264 out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from pose.errors import UserError

VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg"})
"""File endings that count as videos."""


def count_frames(path: Path) -> int:
    """Frames that the container announces; 0 where it does not."""
    capture = cv2.VideoCapture(str(path))
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
    capture.release()
    return max(0, count)


def frames_per_second(path: Path) -> float:
    """Frames a second, 25 where the file does not say."""
    capture = cv2.VideoCapture(str(path))
    rate = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    return float(rate) if 1 <= rate <= 240 else 25.0


def read_frames(path: Path) -> Iterator[np.ndarray]:
    """The frames as RGB uint8 (H, W, 3), turned as the file says.

    Raises:
        UserError: the file is not a video that can be read, or has no frames.
    """
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise UserError(f"{Path(path).name} is not a video that can be read: use an MP4 file")
    empty = True
    try:
        while True:
            ok, frame = capture.read()
            if not ok:
                break
            empty = False
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    finally:
        capture.release()
    if empty:
        raise UserError(f"{Path(path).name} has no frames that can be read: use an MP4 file")


class VideoWriter:
    """Writes an H.264 MP4 that browsers play; the file appears when it is closed.

    Args:
        path: where to; missing folders are made.
        rate: frames a second.

    Raises:
        UserError: the place cannot be written.
    """

    def __init__(self, path: Path, rate: float) -> None:
        import av

        self.path = Path(path)
        self.partial = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        options = {"movflags": "faststart"}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.container = av.open(str(self.partial), "w", format="mp4", options=options)
        except OSError as error:
            raise UserError(
                f"cannot write {path}: {error.strerror or error}; choose another place"
            ) from None
        self.stream = self.container.add_stream("libx264", Fraction(rate).limit_denominator(1001))
        self.stream.pix_fmt = "yuv420p"
        self.size: tuple[int, int] | None = None

    def add(self, frame: np.ndarray) -> None:
        """Adds a frame, RGB uint8 (H, W, 3).

        An odd side loses its last pixel, which the pixel format cannot hold; a frame of another
        size than the first is scaled to it.
        """
        from av import VideoFrame

        if self.size is None:
            self.size = (max(2, frame.shape[0] // 2 * 2), max(2, frame.shape[1] // 2 * 2))
            self.stream.height, self.stream.width = self.size
        height, width = self.size
        if frame.shape[0] < height or frame.shape[1] < width:
            frame = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
        pixels = np.ascontiguousarray(frame[:height, :width])
        self.container.mux(self.stream.encode(VideoFrame.from_ndarray(pixels, format="rgb24")))

    def close(self) -> None:
        """Finishes the file; one without frames is not written."""
        if self.size is not None:
            self.container.mux(self.stream.encode())
        self.container.close()
        if self.size is None:
            self.partial.unlink(missing_ok=True)
        else:
            self.partial.replace(self.path)
