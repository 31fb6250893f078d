"""Clips that a browser does not play, converted for the preview."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from page.components import photo_name
from page.images import clean_name, reduced
from page.tabs.video.clip import FRAME_SIDE
from pose.images.video import CutOff, opened, read_frames
from pose.images.video_writer import VideoWriter

PLAYED_CODECS = frozenset({"h264", "vp8", "vp9", "av1", "libdav1d"})
PLAYED_FILES = frozenset({".mp4", ".m4v", ".mov", ".webm"})
"""What every browser plays; other clips are converted for the preview."""


def is_played(path: Path) -> bool:
    """Whether a browser plays a clip as it is.

    Raises:
        UserError: it is not a video that can be read.
    """
    with opened(path) as (_, stream):
        codec = stream.codec_context.name
    return path.suffix.lower() in PLAYED_FILES and codec in PLAYED_CODECS


def converted(path: Path, folder: Path, longest: float) -> Path:
    """The clip as H.264, a second more than `longest`, so that a cut is still seen."""
    target = folder / f"{clean_name(photo_name(str(path)))}.mp4"
    with VideoWriter(target, sound=path) as writer, suppress(CutOff):
        for frame in read_frames(path):
            writer.add(reduced(frame.image, FRAME_SIDE), frame.time, frame.duration)
            if frame.time > longest:
                break
    return target
