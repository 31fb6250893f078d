"""The smaller commands: preview, oracle."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from train import oracle, preview
from train.data.annotations import AnnotatedImage, AnnotatedPerson, Region
from train.data.read import find_source
from train.oracle import perfect_maps, run_oracle


def test_preview_draws_samples(coco_dir, tmp_path, capfd):
    output = tmp_path / "preview.png"
    options = ["--data", str(coco_dir), "--max-images", "3", "--samples", "3"]
    assert preview.main([*options, "--output", str(output)]) == 0
    picture = cv2.imread(str(output))
    assert picture.shape == (2 * 368, 8 * 368, 3) and picture.std() > 20
    assert preview.main([*options, "--output", str(tmp_path / "preview.txt")]) == 2
    assert preview.main([*options[2:], "--data", str(tmp_path), "--output", str(output)]) == 2
    assert len(capfd.readouterr().err.strip().splitlines()) == 2


def test_oracle_on_val2017(coco_dir, capfd):
    """Perfect maps, decoded by the product, bound every network's AP."""
    assert oracle.main(["--data", str(coco_dir), "--split", "val2017"]) == 0
    assert "Oracle AP 0." in capfd.readouterr().out
    assert oracle.main(["--data", str(coco_dir), "--split", "mine"]) == 2
    result = run_oracle(find_source(coco_dir, "val2017").read(), [432])
    assert result.metrics["ap"] >= 0.85
    assert len(result.people) > 300
    assert sum(result.lost().values()) == pytest.approx(1 - np.mean([p.oks for p in result.people]))
    # Where all keypoints are found nothing is lost but rounding: no shift, no scale.
    assert next(v for cause, v in result.lost().items() if "rounded" in cause) < 0.01


def test_a_shift_between_targets_and_decoder_would_show(coco_dir, monkeypatch):
    make = oracle.make_targets
    monkeypatch.setattr(oracle, "make_targets", lambda points, *a: make(points + 6, *a))
    shifted = run_oracle(find_source(coco_dir, "val2017").read(), [432])
    assert shifted.metrics["ap"] < 0.8


def test_perfect_maps_peak_at_the_keypoints():
    points = np.array([(333, 222, 2), *[(np.nan, np.nan, 0)] * 16])
    person = AnnotatedPerson(points, (0, 0, 1, 1), 1, Region())
    image = AnnotatedImage(1, frozenset(), "x.jpg", None, (480, 640), (person,))
    maps = perfect_maps(image, 368)
    assert maps.heatmaps.shape == (19, 46, 62)
    row, column = np.unravel_index(maps.heatmaps[0].argmax(), maps.heatmaps[0].shape)
    place = maps.grid.to_image(np.array([column, row]))
    assert place == pytest.approx((333, 222), abs=0.5 * 8 * 480 / 368)
