"""What a user named on the command line → photos and video frames, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose.errors import UserError
from pose.image import SUFFIXES, load_image
from pose.video import VIDEO_SUFFIXES, count_frames, read_frames


@dataclass(frozen=True)
class Source:
    """A photo, or a frame of a video.

    Attributes:
        path: the file.
        pixels: RGB uint8 (H, W, 3).
        frame: number of the frame from 1, None for a photo.
    """

    path: Path
    pixels: np.ndarray
    frame: int | None = None

    @property
    def stem(self) -> str:
        """What files made from this source are called, without ending."""
        return self.path.stem if self.frame is None else f"{self.path.stem}_{self.frame:06d}"


def find_files(inputs: Sequence[str | Path]) -> list[Path]:
    """The files that inputs name; a folder stands for the photos in it, sorted, not deeper.

    Raises:
        UserError: an input does not exist, or a folder holds no photo.
    """
    files: list[Path] = []
    for given in inputs:
        path = Path(given)
        if path.is_dir():
            photos = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
            if not photos:
                raise UserError(f"{given}: no photos in this folder")
            files += photos
        elif path.exists() or str(given).startswith(("http://", "https://")):
            files.append(path)
        else:
            raise UserError(f"{given}: no such file or folder")
    return files


def is_video(path: Path) -> bool:
    """Whether a file's ending says that it is a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def count_sources(files: Sequence[Path]) -> int:
    """How many photos and frames the files announce, for a progress bar; 0 if unknown."""
    counts = [count_frames(path) if is_video(path) else 1 for path in files]
    return sum(counts) if all(counts) else 0


def open_sources(files: Sequence[Path]) -> tuple[Iterator[Source], list[str]]:
    """Every photo and every frame, read as they are consumed, and a list of the failures.

    A file that cannot be read adds a line to the list, and the next one is read.
    """
    failures: list[str] = []

    def read() -> Iterator[Source]:
        for path in files:
            try:
                if is_video(path):
                    for number, pixels in enumerate(read_frames(path), start=1):
                        yield Source(path, pixels, number)
                else:
                    yield Source(path, load_image(path))
            except UserError as error:
                failures.append(str(error))

    return read(), failures
