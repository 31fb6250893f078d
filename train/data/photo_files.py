"""The photos of an annotation file: where they are, how large, and which way up."""

from __future__ import annotations

import contextlib
import re
import unicodedata
import warnings
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from pose.errors import UserError
from pose.images.load import ORIENTATION, load_image, readable_formats
from train.data.annotations import AnnotatedImage

COCO_NAME = re.compile(r"(?:COCO_\w+_)?(\d{12})\.jpe?g", re.IGNORECASE)
"""File names of the 2017 release (000000000139.jpg) and of 2014 (COCO_val2014_000000000139.jpg)."""

TURNED_BACK = {6: 8, 8: 6}
"""EXIF orientations that another one undoes; all others undo themselves."""


def leaves(name: str) -> bool:
    """Whether a name, relative to a folder, points outside of it, on any system."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or bool(re.match(r"[A-Za-z]:", name))


def path_key(name: str) -> str:
    """What is the same for two spellings of a name, and for COCO's 2017 and 2014 releases."""
    match = COCO_NAME.fullmatch(name)
    return match[1] if match else unicodedata.normalize("NFC", name).casefold()


class PhotoFolder:
    """A folder of photos, searched by annotated names.

    Raises:
        UserError: there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UserError(f"There is no folder {folder}; download the photos or check its name.")
        self.folder = folder
        self.by_name = {path_key(path.name): path for path in folder.iterdir() if path.is_file()}

    def find(self, name: str) -> Path | None:
        """The photo of that name, else of the name's last part alone.

        A backslash separates folders, as on Windows; nothing outside the folder is found.
        """
        plain = name.replace("\\", "/")
        bare = PurePosixPath(plain).name
        for inside in (plain, bare):
            with contextlib.suppress(OSError):  # a name too long for the system
                if not leaves(inside) and (self.folder / inside).is_file():
                    return self.folder / inside
        return self.by_name.get(path_key(bare))


@dataclass(frozen=True)
class PhotoHeader:
    """What a photo's file says of itself: (height, width) as stored, and its EXIF orientation."""

    stored: tuple[int, int]
    orientation: int

    @property
    def turned(self) -> tuple[int, int]:
        """(height, width) as the photo is shown."""
        return self.stored[::-1] if self.orientation >= 5 else self.stored


def read_header(path: Path) -> PhotoHeader | None:
    """A photo's header; None where it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=readable_formats()) as image:
                orientation = image.getexif().get(ORIENTATION, 1)
                size = (image.height, image.width)
    except Exception:  # Pillow reports damage with a dozen kinds; reading the photo names it
        return None
    return PhotoHeader(size, orientation if orientation in range(2, 9) else 1)


def turn(photo: np.ndarray, orientation: int) -> np.ndarray:
    """A stored photo (H, W, ...) turned or mirrored as its EXIF orientation says."""
    if orientation >= 5:
        photo = np.swapaxes(photo, 0, 1)
    if orientation in (3, 4, 7, 8):
        photo = photo[::-1]
    if orientation in (2, 3, 6, 7):
        photo = photo[:, ::-1]
    return np.ascontiguousarray(photo)


def read_photo(image: AnnotatedImage) -> np.ndarray:
    """RGB uint8 (H, W, 3) of a photo, turned as the labels ask.

    Raises:
        UserError: it cannot be read, or its labels do not fit it.
    """
    if image.path is None or image.problem:
        raise UserError(image.problem or f"{image.file_name} has no photo")
    photo = load_image(image.path)  # turned by its EXIF
    header = read_header(image.path)
    if header is not None and header.orientation != image.orientation:
        photo = turn(photo, TURNED_BACK.get(header.orientation, header.orientation))
    if photo.shape[:2] != image.size:
        raise UserError(
            f"{image.path.name} has {photo.shape[1]} x {photo.shape[0]} pixels, its annotation "
            f"says {image.size[1]} x {image.size[0]}"
        )
    return photo
