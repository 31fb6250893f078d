"""Runs an estimator over annotated images and scores the people it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np
from tqdm import tqdm

from pose.engines.forward import OutOfMemory
from pose.errors import UserError
from pose.estimator import PoseEstimator
from pose.presets import Preset
from train.data.annotations import AnnotatedImage
from train.data.photo_files import read_photo
from train.evaluation.coco_metrics import Score, score_results
from train.evaluation.ground_truth import ChosenImages, check_labelled, coco_ground_truth

STEPS = ("read", "preprocess", "network", "decode")
"""Steps that are timed for each photo."""

OFFICIAL = ("image_id", "category_id", "keypoints", "score")
"""Fields of a results entry that evaluation servers know."""


@dataclass(frozen=True)
class ImageResult:
    """What was found on one image.

    Attributes:
        image: the image.
        results: official COCO results entries.
        seconds: of each of `STEPS`.
        notes: sentences of the decoder about this image.
    """

    image: AnnotatedImage
    results: tuple[dict[str, Any], ...]
    seconds: Mapping[str, float]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class BrokenImage:
    """An image with a photo that could not be measured, and why."""

    file_name: str
    reason: str


@dataclass(frozen=True)
class StepTime:
    """Seconds a photo spends in a step."""

    median: float
    mean: float


@dataclass(frozen=True)
class Metrics:
    """An estimator's metrics on some images.

    Attributes:
        score: COCO's metrics, missed people, false positives, and what intervals need.
        image_ids: the measured images, those without a person among them.
        missing: file names of images without a photo; not measured.
        broken: images whose photo cannot be used; not measured.
        timings: seconds a photo for each of `STEPS`, and "total" without the reading.
        results: the COCO results list, as an evaluation server takes it.
        notes: what the decoder said about the images, each sentence once.
    """

    score: Score
    image_ids: tuple[int, ...]
    missing: tuple[str, ...]
    broken: tuple[BrokenImage, ...]
    timings: Mapping[str, StepTime]
    results: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()

    @property
    def ap(self) -> float:
        """COCO's keypoint AP, a fraction of 1."""
        return self.score.metrics["ap"]


def evaluate_images(
    estimator: PoseEstimator,
    chosen: ChosenImages,
    *,
    preset: str | Preset | None = None,
    batch_size: int | None = None,
    progress: bool = False,
) -> Metrics:
    """Runs an estimator over chosen images and scores what it finds.

    Args:
        preset: scales of a photo, by default the estimator's.
        batch_size: photos given to the estimator at once; see `default_batch_size`.
        progress: show a bar on standard error.

    Raises:
        UserError: none of the photos can be measured.
    """
    size = batch_size or default_batch_size(estimator)
    outcomes: list[ImageResult | BrokenImage] = []
    with tqdm(total=len(chosen.images), unit="photo", disable=not progress) as bar:
        for batch in batches_of(chosen.images, size):
            outcomes += run_batch(estimator, batch, preset)
            bar.update(len(batch))
    return score_images(chosen, outcomes)


def default_batch_size(estimator: PoseEstimator) -> int:
    """Photos that run at once: 8 on CUDA; one on the CPU, where more would gain nothing."""
    return 8 if estimator.device.type == "cuda" else 1


def batches_of(images: Sequence[AnnotatedImage], size: int) -> list[Sequence[AnnotatedImage]]:
    """Images of like size together, always in the same batches."""
    ordered = sorted(images, key=lambda i: (i.size, i.image_id)) if size > 1 else list(images)
    return [ordered[i : i + size] for i in range(0, len(ordered), size)]


def run_batch(
    estimator: PoseEstimator, batch: Sequence[AnnotatedImage], preset: str | Preset | None
) -> list[ImageResult | BrokenImage]:
    """What was found on each image, or why it cannot be used.

    Raises:
        OutOfMemory: a photo does not fit; without it the metrics would be of other images.
    """
    outcomes: list[ImageResult | BrokenImage] = []
    loaded: list[tuple[AnnotatedImage, np.ndarray, float]] = []
    for image in batch:
        start = perf_counter()
        try:
            loaded.append((image, read_photo(image), perf_counter() - start))
        except UserError as error:
            outcomes.append(BrokenImage(image.file_name, str(error)))
    try:
        results = estimator.batch([photo for _, photo, _ in loaded], preset=preset)
    except OutOfMemory:
        raise
    except UserError as error:
        if len(loaded) == 1:
            return [*outcomes, BrokenImage(loaded[0][0].file_name, str(error))]
        return outcomes + [o for image, *_ in loaded for o in run_batch(estimator, [image], preset)]
    for (image, _, read), result in zip(loaded, results, strict=True):
        entries = result.to_coco(image.image_id)
        official = tuple({name: entry[name] for name in OFFICIAL} for entry in entries)
        seconds = {"read": read, **asdict(result.timings)}
        outcomes.append(ImageResult(image, official, seconds, result.decode_notes))
    return outcomes


def score_images(chosen: ChosenImages, outcomes: Sequence[ImageResult | BrokenImage]) -> Metrics:
    """Scores what was found.

    Raises:
        UserError: none of the images could be measured, or nobody is labelled in them.
    """
    measured = [outcome for outcome in outcomes if isinstance(outcome, ImageResult)]
    broken = [outcome for outcome in outcomes if isinstance(outcome, BrokenImage)]
    if not measured:
        raise UserError(
            f"None of the {len(broken)} photos can be measured; the first: {broken[0].reason}."
        )
    ordered = sorted(measured, key=lambda result: result.image.image_id)
    images = [result.image for result in ordered]
    check_labelled(images)
    ids = tuple(image.image_id for image in images)
    results = tuple(entry for result in ordered for entry in result.results)
    return Metrics(
        score_results(coco_ground_truth(images), results, ids),
        ids,
        chosen.missing,
        tuple(sorted(broken, key=lambda image: image.file_name)),
        step_times(ordered),
        results,
        tuple(dict.fromkeys(note for result in ordered for note in result.notes)),
    )


def step_times(measured: Sequence[ImageResult]) -> dict[str, StepTime]:
    """Median and mean seconds of each step, and of the whole way from array to people."""
    columns = {step: [result.seconds[step] for result in measured] for step in STEPS}
    columns["total"] = [
        sum(result.seconds[step] for step in STEPS if step != "read") for result in measured
    ]
    return {
        step: StepTime(float(np.median(values)), float(np.mean(values)))
        for step, values in columns.items()
    }
