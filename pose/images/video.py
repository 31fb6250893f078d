"""Reading video files: frames as they are shown, with the file's own timestamps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pose.errors import UserError

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".qt", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".m2v", ".vob"}
    | {".wmv", ".asf", ".mts", ".m2ts", ".ts", ".3gp", ".3g2", ".flv", ".f4v", ".ogv", ".mxf"}
    | {".mjpeg", ".mjpg", ".divx", ".dv"}
)
"""File endings that count as videos; an animated GIF is one as well."""

MISSING = 0.1
"""Share of a clip's length that is missing at the end of a file that was cut off."""


class CutOff(UserError):
    """A video ends before its header says; the frames up to there were read."""


@dataclass(frozen=True)
class Frame:
    """A frame of a video.

    Attributes:
        image: RGB uint8 (H, W, 3), rotated and with square pixels, as a player shows it.
        time: seconds from the start of the clip.
        duration: seconds until the next frame.
    """

    image: np.ndarray
    time: float
    duration: float


@dataclass
class Progress:
    """How far a file was read, to recognise one that was cut off: seconds."""

    start: float
    reached: float = 0.0
    longest_gap: float = 0.0
    broken: bool = False


def count_frames(path: Path) -> int:
    """The number of frames that the header announces or implies; 0 where it does neither."""
    try:
        with opened(path) as (container, stream):
            seconds = (container.duration or 0) / 1e6
            return stream.frames or round(seconds * frames_per_second(stream))
    except UserError:
        return 0


def read_frames(path: Path) -> Iterator[Frame]:
    """The frames of a video in the order they are shown.

    Raises:
        UserError: the file is not a video that can be read, or has no frames.
        CutOff: after the last frame, where the end of the file is missing.
    """
    with opened(path) as (container, stream):
        usual = 1 / frames_per_second(stream)
        ratio = pixel_ratio(stream)
        progress = Progress((container.start_time or 0) / 1e6)
        last: Frame | None = None
        for picture in decoded(container, stream, progress):
            time = None if picture.time is None else picture.time - progress.start
            if last and (time is None or time <= last.time):
                time = last.time + usual
            frame = Frame(as_shown(picture, ratio), max(0.0, time or 0.0), usual)
            if last:
                gap = frame.time - last.time
                progress.longest_gap = max(progress.longest_gap, gap)
                yield replace(last, duration=gap)
            last = frame
        if last is None:
            raise UserError(
                f"{path.name} is cut off or damaged before its first frame: choose another file"
                if progress.broken
                else f"{path.name} has no frame that can be decoded: convert it to MP4"
            )
        length = (container.duration or 0) / 1e6
        missing = length - max(progress.reached - progress.start, last.time)
        if progress.broken or missing > max(MISSING * length, 2 * progress.longest_gap):
            yield last
            raise CutOff(
                f"{path.name} is cut off or damaged: it ends after {last.time:.1f} of {length:.1f}"
                " seconds; the frames up to there were used"
            )
        ticks, tick = stream.duration, stream.time_base
        end = float(ticks * tick) if ticks and tick else length
        yield replace(last, duration=max(usual, end - last.time))


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The open file and its video stream.

    Raises:
        UserError: there is no such file, or nothing in it is a video.
    """
    import av

    try:
        container = av.open(str(path))
    except (OSError, ValueError) as error:  # PyAV's errors are of both kinds
        if not path.is_file():
            raise UserError(f"{path}: no such file") from None
        if isinstance(error, PermissionError):
            raise UserError(f"{path.name} cannot be opened ({error.strerror})") from None
        raise UserError(
            f"{path.name} is not a video, or damaged at its start: choose another file"
        ) from None
    with container:
        cover = av.stream.Disposition.attached_pic
        streams = [s for s in container.streams.video if not s.disposition & cover]
        if not streams and container.streams.audio:
            raise UserError(f"{path.name} has sound but no picture: choose a video")
        if not streams or streams[0].codec_context is None:
            raise UserError(f"{path.name} has no picture that can be decoded: convert it to MP4")
        streams[0].thread_type = "AUTO"
        yield container, streams[0]


def decoded(
    container: InputContainer, stream: VideoStream, progress: Progress
) -> Iterator[VideoFrame]:
    """The decoded pictures; packets that are damaged are left out."""
    import av

    packets = container.demux(stream, *container.streams.audio)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            return
        except (OSError, ValueError):  # the file ends in the middle of a packet
            progress.broken = True
            # What the decoder still holds back to sort the frames.
            yield from stream.codec_context.decode(None)
            return
        if packet.pts is not None and packet.time_base is not None:
            end = float((packet.pts + (packet.duration or 0)) * packet.time_base)
            progress.reached = max(progress.reached, end)
            progress.broken = packet.is_corrupt
        if packet.stream is stream:
            try:
                yield from stream.codec_context.decode(packet)
            except av.error.InvalidDataError:
                continue


def as_shown(picture: VideoFrame, ratio: float) -> np.ndarray:
    """RGB of a picture with square pixels, rotated as the file says."""
    width = max(1, round(picture.width * ratio))
    image = picture.to_ndarray(format="rgb24", width=width, height=picture.height)
    return np.ascontiguousarray(np.rot90(image, round(picture.rotation / 90)))


def pixel_ratio(stream: VideoStream) -> float:
    """Width of a pixel divided by its height."""
    ratio = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return float(ratio) if ratio and 0.1 <= ratio <= 10 else 1.0


def frames_per_second(stream: VideoStream) -> float:
    """The usual rate of a video whose frames need not be evenly spaced."""
    rate = stream.guessed_rate or stream.average_rate
    return float(rate) if rate and rate <= 1000 else 25.0
