"""The estimator over the images of a split, and what came out as one `Metrics`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from pose.errors import UserError
from pose.estimator import PoseEstimator
from pose.export import coco_results
from pose.image import load_image
from pose.presets import Preset
from pose.results import PoseResult
from train.bootstrap import FIGURES
from train.coco_metrics import JointRate, Score, score_results
from train.coco_truth import FoundImages, ImageFile, choose_ids, find_images, read_truth
from train.evaluation_journal import STEPS, ImageAnswer

if TYPE_CHECKING:
    from pycocotools.coco import COCO

OFFICIAL = ("image_id", "category_id", "keypoints", "score")
"""Fields of a results entry that evaluation servers know."""


@dataclass(frozen=True)
class BrokenImage:
    """An image with a file that could not be measured, and why."""

    file_name: str
    reason: str


@dataclass(frozen=True)
class StepTime:
    """Seconds a photo spends in a step."""

    median: float
    mean: float


@dataclass(frozen=True)
class Metrics:
    """What an estimator is worth on some images.

    Attributes:
        ap, ap50, ap75, ap_medium, ap_large, ar, ar50, ar75, ar_medium, ar_large: COCO's ten
            keypoint figures, fractions of 1; NaN where there is nobody to find.
        per_joint: how often each of COCO's 17 keypoints was found.
        people: labelled people who count.
        detections: found people that COCO looks at, 20 an image.
        missed: labelled people without a found one at OKS 0.5.
        invented: found people without a labelled one at OKS 0.5.
        image_ids: the measured images, those without a person among them.
        missing: file names of images without a file; not measured.
        broken: images whose file is of no use; not measured.
        timings: seconds a photo for each of `STEPS`, and "total" without the reading.
        results: the COCO results list, as an evaluation server takes it.
        score: the same with what bootstrap intervals need.
        notes: what the estimator said about the images, each sentence once.
    """

    ap: float
    ap50: float
    ap75: float
    ap_medium: float
    ap_large: float
    ar: float
    ar50: float
    ar75: float
    ar_medium: float
    ar_large: float
    per_joint: tuple[JointRate, ...]
    people: int
    detections: int
    missed: int
    invented: int
    image_ids: tuple[int, ...]
    missing: tuple[str, ...]
    broken: tuple[BrokenImage, ...]
    timings: Mapping[str, StepTime]
    results: tuple[Mapping[str, Any], ...]
    score: Score
    notes: tuple[str, ...] = ()

    @property
    def figures(self) -> dict[str, float]:
        """COCO's ten figures by name, in the order of `COCOeval.stats`."""
        return {name: getattr(self, name) for name in FIGURES}


def evaluate_estimator(
    estimator: PoseEstimator,
    annotations: COCO | Path,
    image_dir: Path,
    *,
    preset: str | Preset | None = None,
    image_ids: Collection[int | str] | None = None,
    limit: int | None = None,
    batch_size: int | None = None,
    progress: bool = False,
) -> Metrics:
    """Runs an estimator over the images of a COCO split and scores what it finds.

    Args:
        annotations: the annotation file, or it read by `train.coco_truth.read_truth`.
        image_dir: folder of the images.
        preset: views of a photo, by default the estimator's.
        image_ids: only these images, by id or file name.
        limit: at most so many of the images with a file, those with the lowest ids.
        batch_size: photos given to the estimator at once; see `default_batch_size`.
        progress: show a bar on standard error.

    Raises:
        UserError: annotations or images are not there, or none of the images can be measured.
    """
    truth = read_truth(annotations) if isinstance(annotations, str | Path) else annotations
    files = limited(find_images(truth, Path(image_dir), choose_ids(truth, image_ids)), limit)
    size = batch_size or default_batch_size(estimator)
    answers = list(
        answer_all(estimator, batches_of(files.found, size), preset=preset, progress=progress)
    )
    return metrics_of(truth, files, answers)


def default_batch_size(estimator: PoseEstimator) -> int:
    """Photos that run at once: 8 on CUDA; one on the CPU, where more would gain nothing."""
    return 8 if estimator.device.type == "cuda" else 1


def limited(files: FoundImages, limit: int | None) -> FoundImages:
    """At most `limit` images with a file.

    Raises:
        UserError: no image is left.
    """
    if not files.found:
        first = f", for instance {files.missing[0]}" if files.missing else ""
        raise UserError(
            f"None of the {len(files.missing)} images has a file{first}; download the images or "
            "check --data."
        )
    return FoundImages(files.found[:limit], files.missing)


def batches_of(files: Sequence[ImageFile], size: int) -> list[tuple[ImageFile, ...]]:
    """Images of like size together, always in the same batches."""
    ordered = sorted(files, key=lambda f: (f.size, f.image_id)) if size > 1 else list(files)
    return [tuple(ordered[i : i + size]) for i in range(0, len(ordered), size)]


def answer_all(
    estimator: PoseEstimator,
    batches: Iterable[Sequence[ImageFile]],
    *,
    preset: str | Preset | None,
    done: Sequence[ImageAnswer] = (),
    keep: Callable[[Sequence[ImageAnswer]], None] | None = None,
    progress: bool = False,
) -> Iterator[ImageAnswer]:
    """Answers of all images, those of `done` first.

    A batch of which `done` has only a part runs again as a whole, because on a GPU the last bits
    depend on what runs together.

    Args:
        done: answers of an earlier process.
        keep: told the answers of every new batch.
    """
    from tqdm import tqdm

    batches = list(batches)
    earlier = {answer.image_id: answer for answer in done}
    whole = [all(f.image_id in earlier for f in batch) for batch in batches]
    finished = [b for b, ok in zip(batches, whole, strict=True) if ok]
    yield from (earlier[f.image_id] for batch in finished for f in batch)
    with tqdm(
        total=sum(map(len, batches)),
        initial=sum(map(len, finished)),
        unit="photo",
        disable=not progress,
        file=sys.stderr,
        dynamic_ncols=True,
    ) as bar:
        for batch in (b for b, ok in zip(batches, whole, strict=True) if not ok):
            answers = answer_batch(estimator, batch, preset)
            if keep is not None:
                keep(answers)
            yield from answers
            bar.update(len(batch))


def answer_batch(
    estimator: PoseEstimator, batch: Sequence[ImageFile], preset: str | Preset | None
) -> list[ImageAnswer]:
    """Answers of some images; what is wrong with an image becomes its `problem`."""
    photos: dict[int, np.ndarray] = {}
    seconds: dict[int, float] = {}
    problems: dict[int, str] = {}
    for file in batch:
        start = perf_counter()
        try:
            photos[file.image_id] = read_photo(file)
        except UserError as error:
            problems[file.image_id] = str(error)
        seconds[file.image_id] = perf_counter() - start
    found = run_batch(estimator, photos, preset, problems)
    return [
        ImageAnswer(file.image_id, (), {}, problems[file.image_id])
        if file.image_id in problems
        else answer_of(file, found[file.image_id], seconds[file.image_id])
        for file in batch
    ]


def read_photo(file: ImageFile) -> np.ndarray:
    """RGB uint8 (H, W, 3) of an image.

    Raises:
        UserError: the file cannot be read, or has another size than the annotations say, so that
            no keypoint would be where they have it.
    """
    photo = load_image(file.path)
    if photo.shape[:2] != file.size:
        raise UserError(
            f"{file.path.name} has {photo.shape[1]} x {photo.shape[0]} pixels, its annotation "
            f"says {file.size[1]} x {file.size[0]}"
        )
    return photo


def run_batch(
    estimator: PoseEstimator,
    photos: Mapping[int, np.ndarray],
    preset: str | Preset | None,
    problems: dict[int, str],
) -> dict[int, PoseResult]:
    """The estimator's results by image id; a photo that it refuses goes to `problems`."""
    if not photos:
        return {}
    try:
        results = estimator.batch(list(photos.values()), preset=preset)
        return dict(zip(photos, results, strict=True))
    except UserError as error:
        if len(photos) == 1:
            problems[next(iter(photos))] = str(error)
            return {}
    found = {}
    for image_id, photo in photos.items():
        found |= run_batch(estimator, {image_id: photo}, preset, problems)
    return found


def answer_of(file: ImageFile, result: PoseResult, read: float) -> ImageAnswer:
    entries = coco_results(result.people, file.image_id, file.path.name)
    return ImageAnswer(
        file.image_id,
        tuple({name: entry[name] for name in OFFICIAL} for entry in entries),
        {"read": read, **result.timings},
        notes=result.notes,
    )


def metrics_of(truth: COCO, files: FoundImages, answers: Iterable[ImageAnswer]) -> Metrics:
    """Scores the answers.

    Raises:
        UserError: none of the images could be measured.
    """
    answers = sorted(answers, key=lambda answer: answer.image_id)
    names = {file.image_id: file.path.name for file in files.found}
    broken = tuple(BrokenImage(names[a.image_id], a.problem) for a in answers if a.problem)
    measured = [answer for answer in answers if not answer.problem]
    if not measured:
        raise UserError(
            f"None of the {len(answers)} images can be measured; the first: {broken[0].reason}."
        )
    ids = tuple(answer.image_id for answer in measured)
    results = tuple(entry for answer in measured for entry in answer.results)
    score = score_results(truth, results, ids)
    return Metrics(
        **score.figures,
        per_joint=score.per_joint,
        people=score.people,
        detections=score.detections,
        missed=score.missed,
        invented=score.invented,
        image_ids=ids,
        missing=files.missing,
        broken=broken,
        timings=step_times(measured),
        results=results,
        score=score,
        notes=tuple(dict.fromkeys(note for answer in measured for note in answer.notes)),
    )


def step_times(answers: Sequence[ImageAnswer]) -> dict[str, StepTime]:
    """Median and mean seconds of each step, and of the whole way from array to people."""
    columns = {step: [answer.seconds[step] for answer in answers] for step in STEPS}
    columns["total"] = [
        sum(answer.seconds[step] for step in STEPS if step != "read") for answer in answers
    ]
    return {
        step: StepTime(float(np.median(values)), float(np.mean(values)))
        for step, values in columns.items()
    }
