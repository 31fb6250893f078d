"""Which people get a training sample, and which part of the photos is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pose.errors import UserError
from train.data.annotations import AnnotatedImage, Annotations, Crop

MIN_MAIN_KEYPOINTS, MIN_MAIN_AREA, MIN_MAIN_DISTANCE = 5, 32**2, 0.3
"""A main person has at least this many keypoints and square pixels, and this distance, in sizes of
the other, from every earlier main person. Source: the authors' Caffe pipeline."""


@dataclass(frozen=True)
class MainPerson:
    """A training sample: an image, and where the crop is centred."""

    image: AnnotatedImage
    crop: Crop


@dataclass(frozen=True)
class TrainingData:
    """Images with a photo, the samples in them, and notes on what was adjusted or left out."""

    images: tuple[AnnotatedImage, ...]
    samples: tuple[MainPerson, ...]
    notes: tuple[str, ...] = ()


def training_data(annotations: Annotations) -> TrainingData:
    """The images with a usable photo and a sample for each main person.

    Raises:
        UserError: there is no sample.
    """
    missing = [i.file_name for i in annotations.images if i.path is None]
    images = tuple(i for i in annotations.images if i.path is not None and i.problem is None)
    notes = [*annotations.notes]
    if missing:
        notes.append(
            f"{len(missing)} images have no photo: {missing[0]}"
            f"{' and others' if len(missing) > 1 else ''}."
        )
    samples = tuple(MainPerson(image, crop) for image in images for crop in crops(image))
    if not samples:
        nothing = (
            f"Nothing in {annotations.file} can be trained on: no photo has a person with "
            f"{MIN_MAIN_KEYPOINTS} keypoints and {MIN_MAIN_AREA} pixels."
        )
        raise UserError(" ".join([nothing, *notes]))
    return TrainingData(images, samples, tuple(notes))


def crops(image: AnnotatedImage) -> list[Crop]:
    """Around the main persons of an image: those that the file lists, or by the authors' rules."""
    if image.crops is not None:
        return list(image.crops)
    chosen: list[Crop] = []
    sizes: list[float] = []
    for person in image.labelled:
        x, y, w, h = person.box
        if person.num_keypoints < MIN_MAIN_KEYPOINTS or person.area < MIN_MAIN_AREA or h < 1:
            continue
        centre = (x + w / 2 - 0.5, y + h / 2 - 0.5)
        near = any(
            np.hypot(centre[0] - c.centre[0], centre[1] - c.centre[1]) < MIN_MAIN_DISTANCE * size
            for c, size in zip(chosen, sizes, strict=True)
        )
        if not near:
            chosen.append(Crop(centre, h))
            sizes.append(max(w, h))
    return chosen


def take_slice(
    data: TrainingData,
    fraction: float = 1.0,
    max_images: int | None = None,
    seed: int = 0,
    names: frozenset[str] | None = None,
) -> TrainingData:
    """A reproducible part of the images that have samples.

    Args:
        fraction: share of those images, at least one.
        max_images: at most so many.
        seed: chooses them, together with nothing else.
        names: only images with these file names, stems or ids.

    Raises:
        UserError: none of the names is there.
    """
    images = list({id(sample.image): sample.image for sample in data.samples}.values())
    if names is not None:
        images = [image for image in images if names & image.names]
        if not images:
            raise UserError("No image of the list has a person to train on; check its names.")
    count = max(1, round(len(images) * fraction))
    if max_images is not None:
        count = min(count, max_images)
    drawn = np.random.default_rng((seed, 0)).permutation(len(images))[:count]
    images = [images[i] for i in sorted(drawn)]
    kept = {id(image) for image in images}
    samples = tuple(sample for sample in data.samples if id(sample.image) in kept)
    return TrainingData(tuple(images), samples, data.notes)


def read_names(path: Path | None) -> frozenset[str] | None:
    """Image names of a text file, one a line; None for no file.

    Raises:
        UserError: the file cannot be read or is empty.
    """
    if path is None:
        return None
    try:
        names = frozenset(line.strip() for line in path.read_text("utf-8-sig").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as a list of images ({error}).") from None
    names -= {""}
    if not names:
        raise UserError(f"{path} lists no image; write one file name or id a line.")
    return names
