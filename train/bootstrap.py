"""How far chance over images moves a figure: COCO's ten figures of many resamples at once.

pycocotools matches people image by image, once. A resample of the images is then a weight for
each image, and its figures follow from weighted cumulative sums over all detections in order of
score, by the rules of `COCOeval.accumulate` and `summarize`. A detection drawn twice stands twice
in a row there, which changes neither the 101 interpolated precisions nor the recall, so the
weighted sums give exactly what pycocotools would give for the resample.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pycocotools.cocoeval import COCOeval

FIGURES = (
    "ap", "ap50", "ap75", "ap_medium", "ap_large",
    "ar", "ar50", "ar75", "ar_medium", "ar_large",
)  # fmt: skip
"""COCO's ten keypoint figures in the order of `COCOeval.stats`."""

AREAS = ("all", "medium", "large")
OKS_50, OKS_75 = 0, 5
"""Places of 0.5 and 0.75 among the ten OKS thresholds 0.5, 0.55 … 0.95."""

CONFIDENCE = 0.9
RESAMPLES = 1000
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
        recalls: float (101,), where precision is read.
        areas: by the names in `AREAS`.
    """

    image_ids: tuple[int, ...]
    recalls: np.ndarray
    areas: Mapping[str, AreaMatches]


@dataclass(frozen=True)
class Interval:
    """A figure and the range where it lies with a confidence of 90 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PairedIntervals:
    """Two runs' ten figures and second minus first, by the names in `FIGURES`."""

    first: Mapping[str, Interval]
    second: Mapping[str, Interval]
    difference: Mapping[str, Interval]


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
    return Matches(tuple(ids), np.asarray(params.recThrs), areas)


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


def weighted_figures(matches: Matches, weights: np.ndarray) -> np.ndarray:
    """COCO's ten figures of resamples.

    Args:
        matches: of I images.
        weights: int (N, I), how often each image stands in each resample.

    Returns:
        float (N, 10), in the order of `FIGURES`; NaN where a resample has nobody to find.
    """
    size = max(1, NUMBERS_AT_ONCE // max(1, matches.areas["all"].hits.size))
    chunks = [figures_at_once(matches, part) for part in chunked(weights, size)]
    return np.concatenate(chunks) if chunks else np.zeros((0, len(FIGURES)))


def chunked(rows: np.ndarray, size: int) -> list[np.ndarray]:
    return [rows[i : i + size] for i in range(0, len(rows), size)]


def figures_at_once(matches: Matches, weights: np.ndarray) -> np.ndarray:
    ap, ar = {}, {}
    for name in AREAS:
        ap[name], ar[name] = precision_and_recall(matches.areas[name], weights, matches.recalls)
    columns = []
    for by_area in (ap, ar):
        everyone = by_area["all"]
        columns += [everyone.mean(1), everyone[:, OKS_50], everyone[:, OKS_75]]
        columns += [by_area["medium"].mean(1), by_area["large"].mean(1)]
    return np.stack(columns, 1)


def precision_and_recall(
    area: AreaMatches, weights: np.ndarray, recalls: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
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
    read = np.empty((*recall.shape[:2], len(recalls)))
    for n, t in np.ndindex(*recall.shape[:2]):
        places = np.searchsorted(recall[n, t], recalls, side="left")
        read[n, t] = np.append(envelope[n, t], 0.0)[places]
    nobody = np.where(np.isnan(people[:, :, 0]), np.nan, 0.0)
    return read.mean(2) + nobody, recall[:, :, -1]


def draw_weights(images: int, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """How often each image stands in each of the resamples with replacement: int (N, I)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(images, np.full(images, 1 / images), size=resamples)


def interval(value: float, resampled: np.ndarray, confidence: float = CONFIDENCE) -> Interval:
    """The percentile bootstrap interval (Efron 1979); resamples with nobody to find are left out.

    Args:
        value: the figure on the images themselves.
        resampled: float (N,), the figure on the resamples.
        confidence: share of the resamples inside.
    """
    usable = resampled[np.isfinite(resampled)]
    if not usable.size or not np.isfinite(value):
        return Interval(float(value), float("nan"), float("nan"))
    tail = (1 - confidence) / 2
    low, high = np.quantile(usable, [tail, 1 - tail])
    return Interval(float(value), float(low), float(high))


def figures_of(matches: Matches) -> np.ndarray:
    """COCO's ten figures (10,) of the images as they are; NaN where pycocotools says -1."""
    return weighted_figures(matches, np.ones((1, len(matches.image_ids)), int))[0]


def intervals(matches: Matches, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Interval]:
    """Each of COCO's ten figures with its interval, by the names in `FIGURES`."""
    weights = draw_weights(len(matches.image_ids), resamples, seed)
    return named_intervals(figures_of(matches), weighted_figures(matches, weights))


def paired_intervals(
    first: Matches, second: Matches, resamples: int = RESAMPLES, seed: int = 0
) -> PairedIntervals:
    """Both with their intervals and second minus first, always drawn on the same images.

    Raises:
        ValueError: the matches are of different images.
    """
    if first.image_ids != second.image_ids:
        raise ValueError("paired resamples need the same images in the same order")
    weights = draw_weights(len(first.image_ids), resamples, seed)
    values = [figures_of(matches) for matches in (first, second)]
    drawn = [weighted_figures(matches, weights) for matches in (first, second)]
    return PairedIntervals(
        named_intervals(values[0], drawn[0]),
        named_intervals(values[1], drawn[1]),
        named_intervals(values[1] - values[0], drawn[1] - drawn[0]),
    )


def named_intervals(values: np.ndarray, drawn: np.ndarray) -> dict[str, Interval]:
    """Intervals of the ten figures from their values (10,) and resamples (N, 10)."""
    return {name: interval(values[i], drawn[:, i]) for i, name in enumerate(FIGURES)}
