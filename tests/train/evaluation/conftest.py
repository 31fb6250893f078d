"""A run of the command over the whole slice, and parts of it to damage."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from evaluations import IDS, measure, write_split
from pycocotools.coco import COCO

from train.data.annotations import Annotations
from train.data.read import find_source
from train.evaluation.bootstrap import Matches
from train.evaluation.coco_metrics import score_results
from train.evaluation.ground_truth import coco_ground_truth


@pytest.fixture(scope="session")
def annotations(coco_val) -> Annotations:
    return find_source(coco_val.data, "val2017").read()


@pytest.fixture(scope="session")
def ground_truth(annotations) -> COCO:
    return coco_ground_truth(annotations.images)


@dataclass(frozen=True)
class WholeRun:
    """The command over all images: what it wrote, what it said."""

    output: Path
    content: dict
    results: list[dict]
    said: str


@pytest.fixture(scope="session")
def whole_run(coco_val, tmp_path_factory) -> WholeRun:
    output = tmp_path_factory.mktemp("whole") / "metrics.json"
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert measure(coco_val, output) == 0
    content = json.loads(output.read_text())
    results = json.loads((output.parent / content["results"]["file"]).read_text())
    return WholeRun(output, content, results, said.getvalue())


@pytest.fixture(scope="session")
def whole_matches(whole_run, ground_truth) -> Matches:
    return score_results(ground_truth, whole_run.results, sorted(ground_truth.imgs)).matches


@pytest.fixture
def small_data(coco_val, ground_truth, tmp_path) -> Path:
    """A COCO folder with the first images of the slice, for tests to damage."""
    ids = sorted(ground_truth.imgs)[:IDS]
    data = tmp_path / "coco"
    write_split(data, "val2017", ground_truth, ids)
    for image_id in ids:
        name = f"{image_id:012d}.jpg"
        (data / "val2017" / name).symlink_to(coco_val.images / name)
    return data


@pytest.fixture(scope="session")
def two_runs(coco_val, tmp_path_factory) -> tuple[Path, Path]:
    """The same photos once as they should be and once with a decoder that finds little."""
    folder = tmp_path_factory.mktemp("runs")
    good, bad = folder / "good.json", folder / "bad.json"
    assert measure(coco_val, good, "--limit", "25") == 0
    assert measure(coco_val, bad, "--limit", "20", "--peak-threshold", "0.5") == 0
    return good, bad
