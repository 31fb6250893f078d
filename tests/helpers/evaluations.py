"""Runs of `train.evaluate` and results to score."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from train.data.keypoint_names import NAMES
from train.evaluate import main

IDS = 12
"""Images of most tests: enough to have everything in them, few enough to be quick."""


SMALL = ["--preset", "fast", "--short-sides", "184", "--device", "cpu"]
"""An input so small that a photo takes some 50 ms."""


def measure(coco, output: Path, *options: str) -> int:
    data = ["--data", str(coco if isinstance(coco, Path) else coco.data)]
    return main([*data, "--split", "val2017", *SMALL, "--output", str(output), *options])


def official(annotations: Path, results: Path, ids=None) -> np.ndarray:
    """pycocotools alone on two files."""
    with contextlib.redirect_stdout(io.StringIO()):
        ground_truth = COCO(str(annotations))
        evaluation = COCOeval(ground_truth, ground_truth.loadRes(str(results)), "keypoints")
        if ids is not None:
            evaluation.params.imgIds = ids
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def perfect(ground_truth: COCO, image_id: int, noise: float = 0.0, seed: int = 0) -> list[dict]:
    """Results that are the labels themselves, moved by `noise` standard deviations of OKS."""
    rng = np.random.default_rng((image_id, seed))
    sigmas = COCOeval(iouType="keypoints").params.kpt_oks_sigmas
    results = []
    for annotation in ground_truth.imgToAnns[image_id]:
        points = np.asarray(annotation["keypoints"], float).reshape(17, 3)
        there = points[:, 2] > 0
        if not there.any() or annotation["iscrowd"]:
            continue
        width = noise * 2 * sigmas[:, None] * np.sqrt(annotation["area"])
        points[:, :2] += width * rng.normal(size=(17, 2))
        points[~there] = 0
        entry = {"image_id": image_id, "category_id": 1, "keypoints": points.ravel().tolist()}
        results.append({**entry, "score": float(rng.uniform())})
    return results


def write_split(data: Path, split: str, ground_truth: COCO, ids: list[int]) -> None:
    (data / "annotations").mkdir(parents=True)
    (data / split).mkdir()
    content = {
        "images": [{**ground_truth.imgs[i], "file_name": f"{i:012d}.jpg"} for i in ids],
        "annotations": [a for i in ids for a in ground_truth.imgToAnns[i]],
        "categories": [{"id": 1, "name": "person", "keypoints": NAMES}],
    }
    file = data / "annotations" / f"person_keypoints_{split}.json"
    file.write_text(json.dumps(content))


def only_line(capsys) -> str:
    """The one line of stderr, behind the progress bar if there is one."""
    told = capsys.readouterr().err
    assert "Traceback" not in told
    lines = [line for line in told.split("\n") if line.strip() and "photo/s" not in line]
    assert len(lines) == 1, told
    return lines[0]
