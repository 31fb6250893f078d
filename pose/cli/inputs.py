"""The photos and videos that a user named on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path

from PIL import Image

from pose.errors import UserError, display
from pose.images.load import photo_suffixes
from pose.images.video import VIDEO_SUFFIXES


def find_files(inputs: Sequence[str | Path]) -> list[Path]:
    """The files that the inputs name.

    A folder stands for the photos and videos in it, sorted, without its subfolders. Patterns are
    expanded, since not every shell does that.

    Raises:
        UserError: an input does not exist or cannot be read, or a folder holds neither.
    """
    files: list[Path] = []
    for given in inputs:
        try:
            files += files_of(Path(given))
        except OSError as error:
            raise UserError(f"{display(given, 200)}: {error.strerror or error}") from None
    return files


def files_of(path: Path) -> list[Path]:
    """The files that one input names."""
    if path.is_dir():
        endings = photo_suffixes() | VIDEO_SUFFIXES
        files = sorted(p for p in path.iterdir() if p.suffix.lower() in endings)
        if not files:
            raise UserError(f"{path}: there are no photos or videos in this folder")
        return files
    # An address such as https://… is refused where it is read.
    if path.exists() or str(path).startswith(("http:/", "https:/")):
        return [path]
    if has_magic(str(path)):
        matches = [Path(match) for match in sorted(glob(str(path), recursive=True))]  # noqa: PTH207
        if not matches:
            raise UserError(f"{path}: no file matches this pattern")
        return [file for match in matches for file in files_of(match)]
    raise UserError(f"{path}: no such file or folder")


def is_video(path: Path) -> bool:
    """Whether a file is a video by its name, or an animated GIF."""
    if path.suffix.lower() != ".gif":
        return path.suffix.lower() in VIDEO_SUFFIXES
    try:
        with Image.open(path, formats=["GIF"]) as image:
            return bool(getattr(image, "is_animated", False))
    except Exception:  # a broken GIF is refused as a photo
        return False


def unique_stems(files: Sequence[Path]) -> list[str]:
    """The names, without ending, of the files made from each input; repeated ones get a number."""
    stems: list[str] = []
    taken: set[str] = set()
    for path in files:
        stem, number = path.stem, 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{path.stem}-{number}"
        taken.add(stem.casefold())
        stems.append(stem)
    return stems
