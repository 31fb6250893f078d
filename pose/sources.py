"""What a user named on the command line → photos and video frames, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose.errors import UserError, display
from pose.image import SUFFIXES, load_image
from pose.video import VIDEO_SUFFIXES, count_frames, read_frames

WHOLE_VIDEO = 0.9
"""Share of the announced frames below which a video is cut off; some files announce a guess."""


@dataclass
class Source:
    """A photo, or a frame of a video; a photo is read when it is asked for.

    Attributes:
        path: the file.
        frame: number of the frame from 1, None for a photo.
        place: among all sources of a command, from 0.
        file_place: the file's among all files, from 0.
        pixels: RGB uint8 (H, W, 3), None until they are read and after they were dropped.
        problem: why there is nothing to read.
    """

    path: Path
    frame: int | None = None
    place: int = 0
    file_place: int = 0
    pixels: np.ndarray | None = None
    problem: UserError | None = None

    @property
    def stem(self) -> str:
        """What files made from this source are called, without ending."""
        return self.path.stem if self.frame is None else f"{self.path.stem}_{self.frame:06d}"

    @property
    def key(self) -> str:
        """Names the source among those of a command."""
        return f"{self.path}#{self.frame or 0}"

    def read(self) -> np.ndarray:
        """The pixels, kept from now on.

        Raises:
            UserError: the file cannot be read.
        """
        if self.problem is not None:
            raise self.problem
        if self.pixels is None:
            self.pixels = load_image(self.path)
        return self.pixels

    def drop(self) -> None:
        """Forgets the pixels."""
        self.pixels = None


def find_files(inputs: Sequence[str | Path]) -> list[Path]:
    """The files that inputs name; a folder stands for the photos in it, sorted, not deeper.

    Raises:
        UserError: an input does not exist or cannot be looked at, or a folder holds no photo.
    """
    files: list[Path] = []
    for given in inputs:
        try:
            files += files_of(Path(given))
        except OSError as error:
            raise UserError(f"{display(given, 200)}: {error.strerror or error}") from None
    return files


def files_of(path: Path) -> list[Path]:
    if path.is_dir():
        photos = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
        if not photos:
            raise UserError(f"{path}: no photos in this folder")
        return photos
    if path.exists() or str(path).startswith(("http:/", "https:/")):
        return [path]  # an address is told apart when it is read
    raise UserError(f"{path}: no such file or folder")


def is_video(path: Path) -> bool:
    """Whether a file's ending says that it is a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def count_sources(files: Sequence[Path]) -> int:
    """How many photos and frames the files announce, for a progress bar; 0 if unknown."""
    counts = [count_frames(path) if is_video(path) else 1 for path in files]
    return sum(counts) if all(counts) else 0


def every_source(
    files: Sequence[Path], wanted: Callable[[Source], bool] | None = None
) -> Iterator[Source]:
    """Every photo and every frame, in order.

    A video that cannot be opened is a source whose reading raises.

    Args:
        files: photos and videos.
        wanted: told each source; those for which it is false are left out.
    """
    place = 0
    for file_place, path in enumerate(files):
        for source in sources_of(path):
            source.place, source.file_place = place, file_place
            place += 1
            if wanted is None or wanted(source):
                yield source


def sources_of(path: Path) -> Iterator[Source]:
    """The photo, or the frames of the video; one that is cut off ends in a problem."""
    if not is_video(path):
        yield Source(path)
        return
    number, announced = 0, count_frames(path)
    try:
        for number, pixels in enumerate(read_frames(path), start=1):
            yield Source(path, number, pixels=pixels)
    except UserError as error:
        yield Source(path, problem=error)
    if 0 < number < WHOLE_VIDEO * announced:
        cut = f"{path.name} ends after {number} of {announced} frames: it is cut off or damaged"
        yield Source(path, problem=UserError(cut))
