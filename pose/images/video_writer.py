"""Writing video files: H.264 and AAC in an MP4 that browsers play."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pose.errors import UserError

if TYPE_CHECKING:
    from av import VideoFrame
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

TICK = Fraction(1, 90_000)
"""Unit of the timestamps in seconds, MPEG's own."""


PRESET = "veryfast"
"""The encoder's: a third less work than its usual one for a file of the same size."""


class VideoWriter:
    """Writes frames with timestamps; the file appears when it is closed. A context manager.

    Args:
        path: the MP4 file; missing folders are made.
        sound: a video whose sound track is copied as far as the frames reach, or None.

    Raises:
        UserError: the file cannot be written.
    """

    def __init__(self, path: Path, sound: Path | None = None) -> None:
        import av

        self.path = Path(path)
        self.partial = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.container = av.open(
                str(self.partial), "w", format="mp4", options={"movflags": "faststart"}
            )
        except OSError as error:
            raise UserError(
                f"cannot write {path}: {error.strerror or error}; choose another place"
            ) from None
        self.stream = self.container.add_stream("libx264", 25, options={"preset": PRESET})
        self.stream.pix_fmt = "yuv420p"
        self.stream.codec_context.time_base = TICK
        # Frames sorted by B-frames would end the track too early where they are unevenly spaced.
        self.stream.codec_context.max_b_frames = 0
        self.sound = Sound(sound, self.container) if sound else None
        self.size: tuple[int, int] | None = None
        self.end = 0.0
        self._next = 0
        self._durations: dict[int, int] = {}  # of the frames in the encoder

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def add(self, image: np.ndarray, time: float, duration: float) -> None:
        """Adds a frame, RGB uint8 (H, W, 3), shown from `time` for `duration` seconds.

        An odd side loses its last pixel, which the pixel format cannot hold; a frame of another
        size than the first is scaled to it.
        """
        from av import VideoFrame

        if self.size is None:
            self.size = (max(2, image.shape[0] // 2 * 2), max(2, image.shape[1] // 2 * 2))
            self.stream.height, self.stream.width = self.size
        height, width = self.size
        if not (0 <= image.shape[0] - height <= 1 and 0 <= image.shape[1] - width <= 1):
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        # The encoder reads the buffer before `encode` returns, so no copy is needed.
        pixels = np.ascontiguousarray(image[:height, :width])
        frame = VideoFrame.from_numpy_buffer(pixels, "rgb24")
        frame.time_base = TICK
        frame.pts = max(round(time / TICK), self._next)
        self._next = frame.pts + 1
        self._durations[frame.pts] = max(1, round(duration / TICK))
        self.end = time + duration
        self._mux(frame)
        if self.sound:
            self.sound.write_until(self.end)

    def _mux(self, frame: VideoFrame | None) -> None:
        for packet in self.stream.encode(frame):
            # The encoder does not know how long the last frame is shown.
            packet.duration = self._durations.pop(packet.pts or 0)
            self.container.mux(packet)

    def close(self) -> None:
        """Finishes the file; one without frames is not written."""
        if self.size is not None:
            self._mux(None)
            if self.sound:
                self.sound.close()
            self.container.close()
            self.partial.replace(self.path)
            return
        self.container.close()
        self.partial.unlink(missing_ok=True)


class Sound:
    """The first sound track of a video, encoded as AAC while the frames are written."""

    def __init__(self, path: Path, target: OutputContainer) -> None:
        import av

        self.target = target
        self.stream: AudioStream | None = None
        try:
            self.source = av.open(str(path))
        except (OSError, ValueError):  # what is wrong with it is said where its frames are read
            return
        tracks = self.source.streams.audio
        if not tracks or not tracks[0].codec_context:
            return
        rate = tracks[0].codec_context.sample_rate
        if rate not in (av.codec.Codec("aac", "w").audio_rates or ()):
            rate = 48_000
        layout = "mono" if tracks[0].codec_context.channels == 1 else "stereo"
        self.stream = target.add_stream("aac", rate=rate, layout=layout)
        self.frames = self.source.decode(tracks[0])
        self.start = (self.source.start_time or 0) / 1e6
        self.reached = 0.0

    def write_until(self, time: float) -> None:
        """Copies the sound that belongs to the clip's first `time` seconds."""
        while self.stream and self.reached < time:
            try:
                frame = next(self.frames, None)
            except (OSError, ValueError):  # damaged sound ends here, the picture does not
                frame = None
            if frame is None or frame.pts is None or not frame.time_base:
                self.reached = float("inf")
                return
            frame.pts -= round(self.start / frame.time_base)
            self.reached = float(frame.pts * frame.time_base) + frame.samples / frame.sample_rate
            self.target.mux(self.stream.encode(frame))

    def close(self) -> None:
        """Writes what the encoder still holds."""
        if self.stream:
            if self.reached:
                self.target.mux(self.stream.encode(None))
            self.source.close()
