"""Bootstrap intervals over images: COCO's ten metrics of many resamples at once.

pycocotools matches people image by image, once. A resample of the images is then a weight for
each image, and its metrics follow from weighted cumulative sums over all detections in order of
score, by the rules of `COCOeval.accumulate` and `summarize`. A detection drawn twice is there
twice in a row, which changes neither the 101 interpolated precisions nor the recall, so the
weighted sums give exactly what pycocotools would give for the resample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pycocotools.cocoeval import COCOeval

METRICS = (
    "ap", "ap50", "ap75", "ap_medium", "ap_large",
    "ar", "ar50", "ar75", "ar_medium", "ar_large",
)  # fmt: skip
"""COCO's ten keypoint metrics in the order of `COCOeval.stats`."""

AREAS = ("all", "medium", "large")
OKS_50, OKS_75 = 0, 5
"""Places of 0.5 and 0.75 among the ten OKS thresholds 0.5, 0.55 … 0.95."""

CONFIDENCE = 0.9
RESAMPLES = 1000
RECALLS = np.linspace(0, 1, 101)
"""Where COCO reads the precision."""

NUMBERS_AT_ONCE = 4_000_000
"""Numbers in one array, which bounds the memory to some hundred MB on any split."""


@dataclass(frozen=True)
class AreaMatches:
    """The matches in one range of areas; D detections, best score first, I images, T thresholds.

    Attributes:
        image: int (D,), place of each detection's image among the images.
        hits: bool (T, D), matched to a person who counts.
        false: bool (T, D), matched to nobody.
        people: int (I,), people who count in each image.
    """

    image: np.ndarray
    hits: np.ndarray
    false: np.ndarray
    people: np.ndarray


@dataclass(frozen=True)
class Matches:
    """What pycocotools found on each image, ready to be weighted.

    Attributes:
        image_ids: of the I images.
        areas: by the names in `AREAS`.
    """

    image_ids: tuple[int, ...]
    areas: Mapping[str, AreaMatches]


@dataclass(frozen=True)
class Interval:
    """A metric and the range where it lies with a confidence of 90 %."""

    value: float
    low: float
    high: float


def collect_matches(evaluation: COCOeval) -> Matches:
    """The matches of an evaluation of people on which `evaluate()` has run."""
    params = evaluation.params
    ids = [int(i) for i in params.imgIds]
    per_area = {
        name: evaluation.evalImgs[a * len(ids) : (a + 1) * len(ids)]
        for a, name in enumerate(params.areaRngLbl)
    }
    thresholds = len(params.iouThrs)
    areas = {name: join_images(per_area[name], thresholds) for name in AREAS}
    return Matches(tuple(ids), areas)


def join_images(images: Sequence[Mapping | None], thresholds: int) -> AreaMatches:
    """Detections of all images in one list, best score first, ties in the images' order."""
    entries = [(i, e) for i, e in enumerate(images) if e is not None]
    people = np.zeros(len(images), int)
    for i, entry in entries:
        people[i] = np.count_nonzero(np.asarray(entry["gtIgnore"]) == 0)
    empty = np.zeros((thresholds, 0), bool)
    scores = np.concatenate([np.zeros(0), *(e["dtScores"] for _, e in entries)])
    matched = np.concatenate([empty, *(e["dtMatches"] != 0 for _, e in entries)], 1)
    ignored = np.concatenate([empty, *(e["dtIgnore"].astype(bool) for _, e in entries)], 1)
    image = np.repeat([i for i, _ in entries], [len(e["dtScores"]) for _, e in entries])
    order = np.argsort(-scores, kind="stable")
    counted = ~ignored
    return AreaMatches(
        image.astype(int)[order],
        (matched & counted)[:, order],
        (~matched & counted)[:, order],
        people,
    )


def resample(matches: Matches, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """COCO's ten metrics of the images as they are, then of resamples with replacement.

    The same images and seed give the same resamples, so the difference of two runs' rows is that
    of a paired bootstrap.

    Returns:
        float (1 + N, 10), see `weighted_metrics`.
    """
    images = len(matches.image_ids)
    drawn = draw_weights(images, resamples, seed)
    return weighted_metrics(matches, np.vstack([np.ones((1, images), int), drawn]))


def draw_weights(images: int, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """How often each image is in each of the resamples: int (N, I)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(images, np.full(images, 1 / images), size=resamples)


def weighted_metrics(matches: Matches, weights: np.ndarray) -> np.ndarray:
    """COCO's ten metrics of resamples.

    Args:
        matches: of I images.
        weights: int (N, I), how often each image is in each resample.

    Returns:
        float (N, 10), in the order of `METRICS`; NaN where a resample has nobody to find, for
        which pycocotools says -1.
    """
    size = max(1, NUMBERS_AT_ONCE // max(1, matches.areas["all"].hits.size))
    rows = []
    for first in range(0, len(weights), size):
        part = weights[first : first + size]
        by_area = [precision_and_recall(matches.areas[name], part) for name in AREAS]
        columns: list[np.ndarray] = []
        for everyone, medium, large in zip(*by_area, strict=True):  # precision, then recall
            columns += [everyone.mean(1), everyone[:, OKS_50], everyone[:, OKS_75]]
            columns += [medium.mean(1), large.mean(1)]
        rows.append(np.stack(columns, 1))
    return np.concatenate(rows)


def precision_and_recall(area: AreaMatches, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average precision and recall of each resample and threshold, both (N, T).

    The formulas are those of `COCOeval.accumulate`, to the last bit for weights of 1.
    """
    people = (weights @ area.people).astype(float)[:, None, None]
    people[people == 0] = np.nan
    if not area.image.size:
        nothing = np.broadcast_to(0 * people[:, :, 0], (len(weights), len(area.hits)))
        return nothing, nothing
    drawn = weights[:, None, area.image]
    true = np.cumsum(drawn * area.hits, 2, dtype=float)
    false = np.cumsum(drawn * area.false, 2, dtype=float)
    recall = true / people
    precision = true / (false + true + np.spacing(1))
    envelope = np.maximum.accumulate(precision[:, :, ::-1], 2)[:, :, ::-1]
    read = np.empty((*recall.shape[:2], len(RECALLS)))
    for n, t in np.ndindex(*recall.shape[:2]):
        places = np.searchsorted(recall[n, t], RECALLS, side="left")
        read[n, t] = np.append(envelope[n, t], 0.0)[places]
    nobody = np.where(np.isnan(people[:, :, 0]), np.nan, 0.0)
    return read.mean(2) + nobody, recall[:, :, -1]


def intervals(rows: np.ndarray) -> dict[str, Interval]:
    """Percentile bootstrap intervals (Efron 1979) of the ten metrics, by the names in `METRICS`.

    Args:
        rows: of `resample`, or the difference of two. Resamples with nobody to find are left out.
    """
    tail = (1 - CONFIDENCE) / 2
    found = {}
    for name, (value, *drawn) in zip(METRICS, rows.T.tolist(), strict=True):
        usable = [v for v in drawn if np.isfinite(v)]
        known = bool(usable) and np.isfinite(value)
        low, high = np.quantile(usable, [tail, 1 - tail]) if known else (np.nan, np.nan)
        found[name] = Interval(value, float(low), float(high))
    return found
