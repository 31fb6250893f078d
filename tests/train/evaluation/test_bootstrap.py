"""Intervals: resamples score as pycocotools would, chance is told from a difference."""

from __future__ import annotations

import contextlib
import io

import numpy as np
from evaluations import perfect
from pycocotools.coco import COCO

from train.evaluation.bootstrap import (
    draw_weights,
    intervals,
    resample,
    weighted_metrics,
)
from train.evaluation.coco_metrics import score_results


def test_identity_weights_are_pycocotools(whole_run, whole_matches):
    expected = list(whole_run.content["metrics"].values())
    rows = resample(whole_matches, resamples=1)
    np.testing.assert_allclose(rows[0], expected, rtol=0, atol=1e-12)


def test_a_resample_is_what_pycocotools_says_of_copied_images(
    ground_truth, whole_run, whole_matches
):
    """Images drawn twice are twice in an annotation file made for the purpose."""
    for seed in (1, 2):
        weights = draw_weights(len(whole_matches.image_ids), 1, seed)
        images, labels, results = [], [], []
        drawn = np.repeat(whole_matches.image_ids, weights[0])
        assert len(drawn) == 110 > len(set(drawn))
        for new, old in enumerate(drawn.tolist(), start=1):
            images.append({**ground_truth.imgs[old], "id": new})
            for label in ground_truth.imgToAnns[old]:
                labels.append({**label, "image_id": new, "id": len(labels) + 1})
            results += [
                {**entry, "image_id": new}
                for entry in whole_run.results
                if entry["image_id"] == old
            ]
        copied = COCO()
        copied.dataset = {"images": images, "annotations": labels, "categories": [{"id": 1}]}
        with contextlib.redirect_stdout(io.StringIO()):
            copied.createIndex()
        expected = score_results(copied, results, range(1, len(images) + 1)).metrics
        got = weighted_metrics(whole_matches, weights)[0]
        np.testing.assert_allclose(got, list(expected.values()), rtol=0, atol=1e-9)


def test_chance_is_noise_and_a_real_difference_is_none(ground_truth):
    ids = sorted(ground_truth.imgs)
    rows = {}
    for name, how in {"a": (0.5, 0), "b": (0.5, 1), "worse": (0.7, 0)}.items():
        results = [entry for i in ids for entry in perfect(ground_truth, i, *how)]
        rows[name] = resample(score_results(ground_truth, results, ids).matches, 200)
    same = intervals(rows["a"] - rows["a"])["ap"]
    assert (same.value, same.low, same.high) == (0, 0, 0)
    chance = intervals(rows["b"] - rows["a"])["ap"]
    assert chance.low < 0 < chance.high
    worse, alone = intervals(rows["worse"] - rows["a"])["ap"], intervals(rows["a"])["ap"]
    assert worse.high < 0
    assert worse.high - worse.low < alone.high - alone.low  # pairing pays


def test_resamples_without_people_are_left_out(ground_truth):
    ids = sorted(i for i in ground_truth.imgs if not ground_truth.imgToAnns[i])[:2]
    image_id = next(i for i in ground_truth.imgs if perfect(ground_truth, i))
    score = score_results(ground_truth, perfect(ground_truth, image_id), [image_id])
    resampled = weighted_metrics(score.matches, np.array([[1], [0], [3]]))
    np.testing.assert_allclose(resampled[[0, 2], 0], 1)
    assert np.isnan(resampled[1]).all()
    if ids:
        assert np.isnan(score_results(ground_truth, [], ids).metrics["ap"])
