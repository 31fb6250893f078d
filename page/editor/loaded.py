"""Annotations that a visitor loads, for correction: a COCO file, or a ZIP with its photos."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from page.photo.ground_truth import GroundTruth
from page.photo.session import Session
from page.workspace import new_folder, remove_folder
from pose import Person, UserError
from pose.coco_annotations import MISSING, LabelledPerson

PHOTOS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")
MOST_BYTES = 2 * 10**9
"""Unpacked; a small archive may claim to hold more than the disk does."""

BLOCK = 1 << 20


@dataclass(frozen=True)
class Loaded:
    """The annotated people by photo, and the photos that came with them by name.

    Attributes:
        folder: of the photos, "" without any.
    """

    truth: GroundTruth
    photos: Mapping[str, Path] = field(default_factory=dict)
    folder: str = ""


@dataclass(frozen=True)
class Shown:
    """The annotated people of one photo; `outside` keypoints were left out."""

    people: tuple[LabelledPerson, ...]
    outside: int


def load_annotations(path: str | Path) -> Loaded:
    """Reads an upload.

    Raises:
        UserError: it is no COCO keypoint file, and no ZIP with one.
    """
    path = Path(path)
    if zipfile.is_zipfile(path):
        return load_archive(path)
    if path.suffix.lower() == ".zip":
        raise UserError(f"{path.name} is no ZIP archive, or a damaged one: save it again")
    return Loaded(GroundTruth(path))


def load_archive(path: Path) -> Loaded:
    """Unpacks a training set; only its annotations and the photos that they name.

    Raises:
        UserError: it is damaged, too large, or has no COCO keypoint file.
    """
    folder = Path(new_folder("loaded"))
    try:
        with zipfile.ZipFile(path) as archive:
            files = [info for info in archive.infolist() if not info.is_dir()]
            if sum(info.file_size for info in files) > MOST_BYTES:
                raise UserError(f"{path.name} unpacks to more than 2 GB: load a part of it")
            annotations = [info for info in files if info.filename.lower().endswith(".json")]
            if not annotations:
                raise UserError(f"{path.name} has no JSON file: load a ZIP that this page made")
            truth = GroundTruth(unpacked(archive, annotations[0], folder))
            named = set(truth.names)
            photos = {
                bare: unpacked(archive, info, folder)
                for info in files
                if (bare := PurePosixPath(info.filename).name) in named
                and bare.lower().endswith(PHOTOS)
            }
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError) as error:
        remove_folder(str(folder))
        reason = " ".join(str(error).split())[:100]
        raise UserError(f"{path.name} cannot be unpacked ({reason}): save it again") from None
    except UserError:
        remove_folder(str(folder))
        raise
    return Loaded(truth, photos, str(folder))


def unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path) -> Path:
    """Writes a file of the archive into the folder under its bare name; returns its path."""
    target = folder / PurePosixPath(info.filename.replace("\\", "/")).name
    left = MOST_BYTES
    with archive.open(info) as source, target.open("wb") as sink:
        while block := source.read(BLOCK):  # what the directory says of sizes may be a lie
            left -= len(block)
            if left < 0:
                raise UserError(f"{info.filename} unpacks to more than 2 GB")
            sink.write(block)
    return target


def annotated_people(truth: GroundTruth, session: Session) -> Shown | None:
    """The annotated people of the session's photo; None where the file does not name it.

    Raises:
        UserError: they are annotated on a photo of another size.
    """
    people = truth.of(session.file_name)
    if people is None:
        return None
    size, annotated = session.a.result.image_size, truth.size_of(session.file_name)
    if annotated not in ((0, 0), size):
        raise UserError(
            f"{session.file_name} is annotated with {annotated[1]} x {annotated[0]} pixels and has "
            f"{size[1]} x {size[0]}: upload the photo that was annotated"
        )
    shown, outside = [], 0
    for person in people:
        labelled = inside(LabelledPerson(person.person, person.labels), size)
        outside += int((person.labels > MISSING).sum() - (labelled.labels > MISSING).sum())
        shown.append(labelled)
    return Shown(tuple(shown), outside)


def inside(labelled: LabelledPerson, size: tuple[int, int]) -> LabelledPerson:
    """The person without the keypoints outside a photo of (height, width)."""
    height, width = size
    x, y = labelled.person.keypoints[:, :2].T
    with np.errstate(invalid="ignore"):
        beyond = (x < -0.5) | (y < -0.5) | (x > width - 0.5) | (y > height - 0.5)
    keypoints, labels = labelled.person.keypoints.copy(), labelled.labels.copy()
    keypoints[beyond] = (np.nan, np.nan, 0)
    labels[beyond] = MISSING
    return LabelledPerson(Person(keypoints, labelled.person.score), labels)
