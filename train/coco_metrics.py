"""COCO's ten keypoint figures through pycocotools, and who was missed, invented or half found."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pose.skeleton import COCO_TO_KEYPOINT, KEYPOINTS
from train.bootstrap import FIGURES, OKS_50, Matches, collect_matches
from train.coco_truth import PERSON

if TYPE_CHECKING:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

SIMILAR = 0.5
"""Similarity of a keypoint from which it counts as found, and OKS from which a person does."""


@dataclass(frozen=True)
class JointRate:
    """How often a keypoint was found.

    Attributes:
        name: of the keypoint.
        labelled: labelled ones of all people who count.
        of_matched: labelled ones of people who were found (OKS 0.5).
        found: those of `of_matched` with KS > 0.5, where KS = exp(-d² / (2 s² k²)) with the
            distance d, the person's area s² and k = 2 sigma: the term of the keypoint in OKS
            (https://cocodataset.org/#keypoints-eval).
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
    """What results are worth.

    Attributes:
        figures: the ten of `train.bootstrap.FIGURES`, fractions of 1; NaN where there is nobody
            to find, for which pycocotools says -1.
        per_joint: COCO's 17 keypoints in COCO's order.
        people: labelled people who count: with a labelled keypoint and not in a crowd.
        detections: found people, the 20 best of each image, which is all that COCO looks at.
        missed: labelled people whom nobody found at OKS 0.5 matches.
        invented: found people at OKS 0.5 without a labelled person, duplicates among them.
        matches: for bootstrap intervals.
    """

    figures: Mapping[str, float]
    per_joint: tuple[JointRate, ...]
    people: int
    detections: int
    missed: int
    invented: int
    matches: Matches


def score_results(
    truth: COCO, results: Sequence[Mapping[str, Any]], image_ids: Sequence[int]
) -> Score:
    """Scores a COCO results list on the given images.

    Args:
        truth: annotations, see `train.coco_truth.read_truth`.
        results: official entries; other images' are left out.
        image_ids: images that count, also those without a found person.
    """
    evaluation = evaluate(truth, results, image_ids)
    stats = np.where(np.asarray(evaluation.stats) < 0, np.nan, evaluation.stats)
    figures = {name: float(value) for name, value in zip(FIGURES, stats, strict=True)}
    everyone = [e for e in evaluation.evalImgs[: len(evaluation.params.imgIds)] if e is not None]
    counted = [np.asarray(e["gtIgnore"]) == 0 for e in everyone]
    unmatched = [e["gtMatches"][OKS_50] == 0 for e in everyone]
    alone = [(e["dtMatches"][OKS_50] == 0) & ~e["dtIgnore"][OKS_50].astype(bool) for e in everyone]
    return Score(
        figures,
        joint_rates(evaluation, everyone),
        people=int(sum(c.sum() for c in counted)),
        detections=sum(len(e["dtIds"]) for e in everyone),
        missed=int(sum((c & u).sum() for c, u in zip(counted, unmatched, strict=True))),
        invented=int(sum(a.sum() for a in alone)),
        matches=collect_matches(evaluation),
    )


def evaluate(
    truth: COCO, results: Sequence[Mapping[str, Any]], image_ids: Sequence[int]
) -> COCOeval:
    """pycocotools' evaluation, silent, with its `stats`."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    wanted = set(image_ids)
    # pycocotools writes into the entries, and cannot load an empty list.
    entries = [dict(entry) for entry in results if entry["image_id"] in wanted]
    with contextlib.redirect_stdout(io.StringIO()):
        if entries:
            found = truth.loadRes(entries)
        else:
            found = COCO()
            found.dataset = {**truth.dataset, "annotations": []}
            found.createIndex()
        evaluation = COCOeval(truth, found, "keypoints")
        evaluation.params.imgIds = sorted(wanted)
        evaluation.params.catIds = [PERSON]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def joint_rates(
    evaluation: COCOeval, everyone: Sequence[Mapping[str, Any]]
) -> tuple[JointRate, ...]:
    """The rate of each of COCO's 17 keypoints."""
    labelled, of_matched, found = (np.zeros(17, int) for _ in range(3))
    variances = (2 * np.asarray(evaluation.params.kpt_oks_sigmas)) ** 2
    for entry in everyone:
        for truth_id, ignored, match in zip(
            entry["gtIds"], entry["gtIgnore"], entry["gtMatches"][OKS_50], strict=True
        ):
            if ignored:
                continue
            person = evaluation.cocoGt.anns[truth_id]
            own = np.asarray(person["keypoints"], float).reshape(17, 3)
            there = own[:, 2] > 0
            labelled += there
            if match:
                other = np.asarray(evaluation.cocoDt.anns[int(match)]["keypoints"], float)
                other = other.reshape(17, 3)
                squared = ((own[:, :2] - other[:, :2]) ** 2).sum(1)
                similarity = np.exp(-squared / (2 * max(person["area"], 1e-9) * variances))
                of_matched += there
                found += there & (other[:, 2] > 0) & (similarity > SIMILAR)
    return tuple(
        JointRate(KEYPOINTS[index].name, int(a), int(b), int(c))
        for index, a, b, c in zip(COCO_TO_KEYPOINT, labelled, of_matched, found, strict=True)
    )
