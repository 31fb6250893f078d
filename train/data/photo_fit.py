"""Fits labels to photos that were turned or resized since; a photo of another shape is refused."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pose.errors import UserError
from train.data.annotation_checks import FEW, SLACK, check_units
from train.data.annotations import AnnotatedImage, Findings
from train.data.photo_files import PhotoHeader, read_header

HEADER_READERS = 8
"""Threads that read the photos' headers, which is mostly waiting."""


@dataclass(frozen=True)
class PhotoFit:
    """How labels fit a photo.

    Attributes:
        size: (height, width) of the photo, turned by `orientation`.
        orientation: EXIF orientation to turn it by.
        scale: (x, y) factors from annotated to real pixels.
        problem: why they do not fit, or None.
    """

    size: tuple[int, int]
    orientation: int
    scale: tuple[float, float] = (1.0, 1.0)
    problem: str | None = None


def fit_photos(
    images: Sequence[AnnotatedImage], file: Path, findings: Findings
) -> list[AnnotatedImage]:
    """The images with the sizes of their photos, and the labels in the photos' pixels.

    Raises:
        UserError: coordinates or sizes make no sense.
    """
    with ThreadPoolExecutor(HEADER_READERS) as pool:
        headers = list(pool.map(lambda i: read_header(i.path) if i.path else None, images))
    check_units(file, images, headers)
    pairs = zip(images, headers, strict=True)
    fits = [None if header is None else fit_photo(image, header) for image, header in pairs]
    check_fits(file, images, fits)
    fitted = []
    for image, fit in zip(images, fits, strict=True):
        if fit is not None:
            fitted.append(fit_image(image, fit, findings))
        elif image.path is not None and image.size == (0, 0):
            findings.leave_out("damaged photos without an annotated size", image.file_name)
        else:
            fitted.append(image)
    return fitted


def fit_photo(image: AnnotatedImage, header: PhotoHeader) -> PhotoFit:
    """Fits an annotated size to a photo: as shown, as stored, or either one resized."""
    turned, stored = PhotoFit(header.turned, header.orientation), PhotoFit(header.stored, 1)
    if image.size == (0, 0):
        return turned
    for fit in (turned, stored):
        if fit.size == image.size:
            return fit
    for fit in (turned, stored):
        y, x = fit.size[0] / image.size[0], fit.size[1] / image.size[1]
        if abs(x - y) * min(image.size) <= 2 * max(x, y, 1):  # resizing rounds to whole pixels
            beyond = f"{sizes_of(image, fit.size)}, and labels reach beyond the annotated size"
            problem = beyond if reaches_beyond(image, image.size) else None
            return replace(fit, scale=(x, y), problem=problem)
    swapped = ", they are swapped" if image.size[::-1] in (turned.size, stored.size) else ""
    return replace(turned, problem=sizes_of(image, turned.size) + swapped)


def check_fits(
    file: Path, images: Sequence[AnnotatedImage], fits: Sequence[PhotoFit | None]
) -> None:
    """Refuses a file with many wrong sizes.

    Raises:
        UserError: see above.
    """
    shrunk = [
        (image, fit)
        for image, fit in zip(images, fits, strict=True)
        if fit is not None and not fit.problem and max(fit.scale) < 0.9 and image.labelled
    ]
    if shrunk and not any(reaches_beyond(image, fit.size) for image, fit in shrunk):
        image, fit = shrunk[0]
        raise UserError(
            f"{file}: {sizes_of(image, fit.size)}, and all labels fit into the photo as it is; "
            'correct "width" and "height" or leave them out.'
        )
    readable = [fit for fit in fits if fit is not None]
    wrong = [fit.problem for fit in readable if fit.problem]
    if wrong and len(wrong) >= FEW * len(readable):
        raise UserError(f'{file}: {wrong[0]}; correct "width" and "height" or leave them out.')


def fit_image(image: AnnotatedImage, fit: PhotoFit, findings: Findings) -> AnnotatedImage:
    """An image with the size of its photo, and its people in the photo's pixels."""
    if fit.problem:
        findings.leave_out("photos that do not fit their annotations", image.file_name)
        return replace(image, problem=fit.problem)
    people = image.people
    if image.size == (0, 0):
        findings.adjust("sizes read from the photos")
    if fit.scale != (1.0, 1.0):
        findings.adjust("labels scaled to resized photos")
        people = tuple(person.scaled(*fit.scale) for person in people)
    if fit.orientation != 1:
        findings.adjust("photos turned by their EXIF orientation")
    return replace(image, size=fit.size, orientation=fit.orientation, people=people)


def reaches_beyond(image: AnnotatedImage, size: tuple[int, int]) -> bool:
    """Whether a labelled keypoint lies beyond (height, width)."""
    limit = np.array(size[::-1]) * SLACK + 2
    return any((np.nan_to_num(p.keypoints[:, :2]) > limit).any() for p in image.labelled)


def sizes_of(image: AnnotatedImage, photo: tuple[int, int]) -> str:
    return (
        f'"width" and "height" of {image.file_name} are {image.size[1]} and {image.size[0]}, but '
        f"the photo has {photo[1]} x {photo[0]} pixels"
    )
