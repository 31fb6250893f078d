"""A folder of photos and their people in COCO's layout, which `python -m train --data` reads.

A photo is there once its entry is in the annotation file, which is written whole or not at all,
after the photo. A lock file keeps two writers apart, whether tabs or programs.
"""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from page.images import clean_name
from pose import UserError
from pose.coco_annotations import LabelledPerson, LabelledPhoto, with_photo
from pose.export import json_text
from pose.files import write_bytes, write_text

if sys.platform != "win32":  # there only the tabs of one server are kept apart
    import fcntl

SPLIT = "train2017"
"""The split that `python -m train --data` reads unless another is named."""

ANNOTATIONS = f"annotations/person_keypoints_{SPLIT}.json"
LOCK = ".lock"
JPEG_QUALITY = 95

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class TrainingSet:
    """A folder to collect in."""

    folder: Path

    @property
    def annotations(self) -> Path:
        return self.folder / ANNOTATIONS

    def check(self) -> int:
        """How many photos it has; the folder is made if it is not there.

        Raises:
            UserError: it cannot be written, or its annotation file is something else.
        """
        with self.locked():
            return len(self.read().get("images", []))

    def add(self, photo: np.ndarray, file_name: str, people: Sequence[LabelledPerson]) -> int:
        """Adds a photo with its people, or replaces its people; returns how many photos there are.

        It is the same photo if it has the same pixels, or is a file of this folder.

        Args:
            photo: RGB uint8 (H, W, 3).
            file_name: as uploaded; its stem is kept in the name here.

        Raises:
            UserError: the folder cannot be written, or its annotation file is something else.
        """
        with self.locked():
            data = self.read()
            name = stored_name(photo, file_name, data.get("images", []))
            if not (self.folder / SPLIT / name).is_file():
                write_bytes(self.folder / SPLIT / name, jpeg(photo))
            height, width = photo.shape[:2]
            data = with_photo(data, LabelledPhoto(name, (height, width), people))
            write_text(self.annotations, json_text(data))
            return len(data["images"])

    def read(self) -> dict[str, Any]:
        """The content of the annotation file, {} where there is none.

        Raises:
            UserError: it cannot be read or is something else.
        """
        try:
            data = json.loads(self.annotations.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UserError(f"{self.annotations} cannot be read ({error.strerror})") from None
        except (ValueError, RecursionError):
            data = None
        if not is_coco(data):
            raise UserError(
                f"{self.annotations} is not a COCO annotation file: move it away, or collect into "
                "another folder"
            )
        return data

    def packed(self) -> bytes:
        """The annotation file and its photos as a ZIP archive.

        Raises:
            UserError: a file cannot be read.
        """
        memory = io.BytesIO()
        try:
            with self.locked(), zipfile.ZipFile(memory, "w") as archive:
                archive.write(self.annotations, ANNOTATIONS, zipfile.ZIP_DEFLATED)
                for image in self.read()["images"]:
                    name = f"{SPLIT}/{image['file_name']}"
                    archive.write(self.folder / name, name)  # a JPEG does not get smaller
        except OSError as error:
            raise UserError(f"the photos cannot be packed ({error.strerror})") from None
        return memory.getvalue()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else reads or writes meanwhile; a killed program's lock is gone with it.

        Raises:
            UserError: the folder cannot be written.
        """
        with _one_at_a_time:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                handle = os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
            except OSError as error:
                raise UserError(
                    f"{self.folder} cannot be written ({error.strerror}): choose another folder"
                ) from None
            try:
                if sys.platform != "win32":
                    fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)


def stored_name(photo: np.ndarray, file_name: str, images: Iterable[Mapping[str, Any]]) -> str:
    """The photo's name in the folder: its own if it is from there, else its stem and a hash.

    Args:
        images: the entries of the photos that are there.
    """
    height, width = photo.shape[:2]
    digest = sha256(f"{height} {width} ".encode() + photo.tobytes()).hexdigest()[:10]
    bare, ending = Path(file_name).name, f"-{digest}.jpg"
    for image in images:
        name, size = str(image["file_name"]), (image.get("height"), image.get("width"))
        if name.endswith(ending) or (name == bare and size == (height, width)):
            return name
    return clean_name(file_name) + ending


def is_coco(data: Any) -> bool:
    """Whether a file's content has the lists and ids that `with_photo` needs."""
    try:
        return (
            all(isinstance(int(i["id"]), int) and i["file_name"] for i in data["images"])
            and all(isinstance(int(a["id"]), int) and "image_id" in a for a in data["annotations"])
            and isinstance(data["categories"], list)
        )
    except (TypeError, KeyError, ValueError):
        return False


def jpeg(photo: np.ndarray) -> bytes:
    """The photo as shown: upright, and without the camera's metadata."""
    memory = io.BytesIO()
    Image.fromarray(photo).save(memory, "jpeg", quality=JPEG_QUALITY, subsampling=0)
    return memory.getvalue()
