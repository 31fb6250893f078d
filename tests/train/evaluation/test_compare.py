"""Two measurements side by side, and AP against time."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from evaluations import official, only_line
from PIL import Image

from pose.errors import UserError
from pose.weights.load import file_sha256
from train.data.read import find_source
from train.evaluate import main
from train.evaluation.compare import compare


def test_compare_tells_a_win_from_noise(two_runs, coco_val, capsys):
    good, bad = two_runs
    assert main(["--compare", str(good), str(bad)]) == 0
    said = capsys.readouterr().out
    assert "20 images of val2017" in said
    assert "only the 20 of both count" in said
    row = next(line for line in said.splitlines() if line.startswith("AP "))
    assert row.endswith("A better")
    ids = json.loads(bad.read_text())["images"]["ids"]
    expected = official(coco_val.annotations, good.with_name("good.results.json"), ids)
    assert f"{expected[0]:.3f} [" in row
    assert main(["--compare", str(good), str(good)]) == 0
    assert "better" not in capsys.readouterr().out


def test_compare_refuses_what_does_not_belong_together(two_runs, tmp_path, capsys):
    good, bad = two_runs
    for run in (good, bad):
        shutil.copy(run, tmp_path)
        shutil.copy(run.with_name(f"{run.stem}.results.json"), tmp_path)
    other = tmp_path / "bad.json"
    results = tmp_path / "bad.results.json"
    results.write_text(results.read_text().replace("1", "2", 1))
    assert main(["--compare", str(tmp_path / "good.json"), str(other)]) == 2
    assert "bad.results.json" in only_line(capsys)
    content = json.loads(other.read_text())
    elsewhere = tmp_path.parent / "elsewhere.json"
    shutil.copy(good.with_name("good.results.json"), elsewhere)
    named = {"file": "../elsewhere.json", "sha256": file_sha256(elsewhere)}
    other.write_text(json.dumps({**content, "results": named}))
    assert main(["--compare", str(tmp_path / "good.json"), str(other)]) == 2
    assert f"{tmp_path}/elsewhere.json is not what" in only_line(capsys)
    content["settings"]["annotations"]["sha256"] = "0" * 64
    other.write_text(json.dumps(content))
    assert main(["--compare", str(tmp_path / "good.json"), str(other)]) == 2
    assert "annotations" in only_line(capsys)
    other.write_text(json.dumps({**content, "format_version": 1}))
    assert main(["--compare", str(tmp_path / "good.json"), str(other)]) == 2
    assert "another version" in only_line(capsys)
    del content["metrics"]["ap"]
    other.write_text(json.dumps(content))
    assert main(["--compare", str(tmp_path / "good.json"), str(other)]) == 2
    assert "bad.json is damaged" in only_line(capsys)
    other.write_text("[1, 2]")
    assert main(["--compare", str(tmp_path / "good.json"), str(other)]) == 2
    assert "bad.json is not a metrics.json" in only_line(capsys)


def test_compare_finds_annotations_that_moved(two_runs, coco_val, tmp_path):
    good, bad = two_runs
    moved = []
    for run in (good, bad):
        content = json.loads(run.read_text())
        content["settings"]["annotations"]["file"] = "/nowhere/person_keypoints_val2017.json"
        moved.append(tmp_path / run.name)
        moved[-1].write_text(json.dumps(content))
        shutil.copy(run.with_name(f"{run.stem}.results.json"), tmp_path)
    with pytest.raises(UserError, match="--data"):
        compare(*moved)
    there = compare(*moved, find_source(coco_val.data, "val2017"))
    assert "20 images of val2017" in there


def test_picture_of_accuracy_against_time(two_runs, coco_val, tmp_path, capsys):
    good, bad = two_runs
    picture = tmp_path / "accuracy.png"
    assert main(["--plot", str(good), str(bad), "--output", str(picture)]) == 2
    assert "different images" in only_line(capsys)
    beside = str(good.with_name(f"{good.stem}.results.json"))
    assert main(["--plot", str(good), beside, str(good), "--output", str(picture)]) == 0
    with Image.open(picture) as image:
        assert np.asarray(image.convert("L")).std() > 5
