"""Metrics, missed people, false positives and keypoint rates of known results."""

from __future__ import annotations

import numpy as np
import pytest
from evaluations import perfect

from pose.export import coco_results
from pose.person import Person
from pose.skeleton import COCO_TO_KEYPOINT
from train.evaluation.coco_metrics import score_results


def test_labels_score_one_and_nothing_scores_zero(ground_truth):
    ids = sorted(ground_truth.imgs)
    whole = [entry for i in ids for entry in perfect(ground_truth, i)]
    score = score_results(ground_truth, whole, ids)
    assert score.metrics["ap"] == pytest.approx(1)
    assert (score.missed, score.false_positives) == (0, 0)
    assert score.people == score.detections == len(whole)
    assert all(joint.rate == 1 and joint.labelled > 50 for joint in score.per_keypoint)
    nothing = score_results(ground_truth, [], ids)
    assert nothing.metrics["ap"] == 0
    assert (nothing.missed, nothing.false_positives) == (score.people, 0)


def test_rates_missed_people_and_false_positives_are_counted(ground_truth):
    ids = sorted(ground_truth.imgs)
    whole = [entry for i in ids for entry in perfect(ground_truth, i)]
    whole.sort(key=lambda entry: -np.count_nonzero(entry["keypoints"][2::3]))
    lacking = [dict(entry) for entry in whole[:3]]
    wrist = 9  # COCO's left wrist
    for entry in lacking:
        entry["keypoints"] = list(entry["keypoints"])
        assert entry["keypoints"][3 * wrist + 2]
        entry["keypoints"][3 * wrist : 3 * wrist + 3] = [0, 0, 0]
    far = {**whole[0], "keypoints": [10_000 + k for k in whole[0]["keypoints"]], "score": 0.1}
    score = score_results(ground_truth, [*lacking, far, *whole[5:]], ids)
    assert (score.missed, score.false_positives) == (2, 1)
    rates = {joint.name: joint for joint in score.per_keypoint}
    assert rates["left wrist"].of_matched - rates["left wrist"].found == 3
    others = [joint for joint in score.per_keypoint if joint.name != "left wrist"]
    assert all(joint.found == joint.of_matched for joint in others)


def test_a_keypoint_counts_up_to_its_oks_distance(ground_truth):
    annotation = next(a for a in ground_truth.anns.values() if a["num_keypoints"] >= 15)
    image_id, nose = annotation["image_id"], 0.026
    entry = {"image_id": image_id, "category_id": 1, "score": 1.0}
    reach = np.sqrt(2 * np.log(2) * annotation["area"]) * 2 * nose  # where KS is 0.5
    found = []
    for factor in (0.99, 1.01):
        points = list(annotation["keypoints"])
        points[0] += reach * factor
        (joint, *_) = score_results(
            ground_truth, [{**entry, "keypoints": points}], [image_id]
        ).per_keypoint
        assert (joint.name, joint.of_matched) == ("nose", 1)
        found.append(joint.found)
    assert found == [1, 0]


def test_people_without_a_coco_keypoint_do_no_harm(ground_truth):
    keypoints = np.full((18, 3), np.nan, np.float32)
    keypoints[:, 2] = 0
    keypoints[1] = (10, 10, 0.9)  # the neck is not COCO's
    assert 1 not in COCO_TO_KEYPOINT
    image_id = min(ground_truth.imgs)
    results = coco_results([Person(keypoints, 1.0)], image_id, "x.jpg")
    assert score_results(ground_truth, results, [image_id]).detections == 0
