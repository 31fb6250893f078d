"""COCO's ten keypoint metrics, missed people, false positives and keypoint rates."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pose.oks import keypoint_similarities
from pose.skeleton import COCO_TO_KEYPOINT, KEYPOINTS
from train.evaluation.bootstrap import METRICS, OKS_50, Matches, collect_matches
from train.evaluation.ground_truth import PERSON, silent_coco

if TYPE_CHECKING:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

SIMILAR = 0.5
"""Similarity from which a keypoint counts as found, and OKS from which a person does."""


@dataclass(frozen=True)
class KeypointRate:
    """How often a keypoint was found.

    Attributes:
        name: of the keypoint.
        labelled: labelled ones of all people who count.
        of_matched: labelled ones of people who were found (OKS 0.5).
        found: those of `of_matched` whose term of OKS is above 0.5.
    """

    name: str
    labelled: int
    of_matched: int
    found: int

    @property
    def rate(self) -> float:
        """Share found among the keypoints of found people; NaN without any."""
        return self.found / self.of_matched if self.of_matched else float("nan")


@dataclass(frozen=True)
class Score:
    """The score of a results list.

    Attributes:
        metrics: the ten of `train.evaluation.bootstrap.METRICS`, fractions of 1; NaN where there
            is nobody to find, for which pycocotools says -1.
        per_keypoint: COCO's 17 keypoints in COCO's order.
        people: labelled people who count: with a labelled keypoint and not in a crowd.
        detections: found people, the 20 best of each image; COCO counts no more.
        missed: labelled people whom nobody found at OKS 0.5 matches.
        false_positives: found people at OKS 0.5 without a labelled person, duplicates among them.
        matches: for bootstrap intervals.
    """

    metrics: Mapping[str, float]
    per_keypoint: tuple[KeypointRate, ...]
    people: int
    detections: int
    missed: int
    false_positives: int
    matches: Matches


def score_results(
    ground_truth: COCO, results: Sequence[Mapping[str, Any]], image_ids: Sequence[int]
) -> Score:
    """Scores a COCO results list on the given images.

    Args:
        ground_truth: see `train.evaluation.ground_truth.coco_ground_truth`.
        results: official entries; other images' are left out.
        image_ids: images that count, also those without a found person.
    """
    evaluation = evaluate(ground_truth, results, image_ids)
    stats = np.where(np.asarray(evaluation.stats) < 0, np.nan, evaluation.stats)
    images = [e for e in evaluation.evalImgs[: len(evaluation.params.imgIds)] if e is not None]
    matches = collect_matches(evaluation)
    everyone = matches.areas["all"]
    people = int(everyone.people.sum())
    return Score(
        {name: float(value) for name, value in zip(METRICS, stats, strict=True)},
        keypoint_rates(evaluation, images),
        people=people,
        detections=len(everyone.image),
        missed=people - int(everyone.hits[OKS_50].sum()),
        false_positives=int(everyone.false[OKS_50].sum()),
        matches=matches,
    )


def evaluate(
    ground_truth: COCO, results: Sequence[Mapping[str, Any]], image_ids: Sequence[int]
) -> COCOeval:
    """pycocotools' evaluation, silent, with its `stats`."""
    from pycocotools.cocoeval import COCOeval

    wanted = set(image_ids)
    # pycocotools writes into the entries, and cannot load an empty list.
    entries = [dict(entry) for entry in results if entry["image_id"] in wanted]
    with contextlib.redirect_stdout(io.StringIO()):
        if entries:
            found = ground_truth.loadRes(entries)
        else:
            found = silent_coco(ground_truth.dataset["images"], [])
        evaluation = COCOeval(ground_truth, found, "keypoints")
        evaluation.params.imgIds = sorted(wanted)
        evaluation.params.catIds = [PERSON]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def keypoint_rates(
    evaluation: COCOeval, images: Sequence[Mapping[str, Any]]
) -> tuple[KeypointRate, ...]:
    """The rate of each of COCO's 17 keypoints."""
    labelled, of_matched, found = (np.zeros(17, int) for _ in range(3))
    for entry in images:
        for person_id, ignored, match in zip(
            entry["gtIds"], entry["gtIgnore"], entry["gtMatches"][OKS_50], strict=True
        ):
            if ignored:
                continue
            person = evaluation.cocoGt.anns[person_id]
            own = np.asarray(person["keypoints"], float).reshape(17, 3)
            there = own[:, 2] > 0
            labelled += there
            if match:
                other = np.asarray(evaluation.cocoDt.anns[int(match)]["keypoints"], float)
                other = other.reshape(17, 3)
                terms = keypoint_similarities(own[:, :2] - other[:, :2], person["area"])
                of_matched += there
                found += there & (other[:, 2] > 0) & (terms > SIMILAR)
    return tuple(
        KeypointRate(KEYPOINTS[index].name, int(a), int(b), int(c))
        for index, a, b, c in zip(COCO_TO_KEYPOINT, labelled, of_matched, found, strict=True)
    )
