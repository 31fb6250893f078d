"""The smaller commands: preview, benchmark, oracle."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from pose.errors import UserError
from train import benchmark, oracle, preview
from train.coco import ImageLabels
from train.oracle import perfect_maps, run_oracle
from train.settings import TrainSettings


def test_preview_draws_samples(coco_dir, tmp_path, capfd):
    output = tmp_path / "preview.png"
    options = ["--data", str(coco_dir), "--max-images", "3", "--samples", "3"]
    assert preview.main([*options, "--output", str(output)]) == 0
    picture = cv2.imread(str(output))
    assert picture.shape == (2 * 368, 8 * 368, 3) and picture.std() > 20
    assert preview.main([*options, "--output", str(tmp_path / "preview.txt")]) == 2
    assert preview.main([*options[2:], "--data", str(tmp_path), "--output", str(output)]) == 2
    assert len(capfd.readouterr().err.strip().splitlines()) == 2


def test_benchmark_prints_what_a_sample_costs(coco_dir, capfd):
    assert benchmark.main(["--data", str(coco_dir), "--samples", "8", "--json"]) == 0
    cost = json.loads(capfd.readouterr().out)
    assert cost["samples"] == 8 and 0 < cost["mean"] <= cost["worst"]


def test_benchmark_of_training_steps(coco_dir, capfd):
    options = ["--data", str(coco_dir), "--network", "mobilenet-thin", "--crop", "128"]
    options += ["--batch-size", "2", "--max-images", "2", "--device", "cpu", "--steps", "1"]
    assert benchmark.main(options) == 0
    assert "2 samples at once" in capfd.readouterr().out
    assert benchmark.main([*options, "--memory-gb", "4"]) == 2


@pytest.mark.parametrize("gigabytes, share", [(4.0, 0.25), (40.0, 1.0)])
def test_the_limit_is_set_on_the_gpu_of_the_process(monkeypatch, gigabytes, share):
    """Accelerate's device may have no number, which PyTorch's limit asks for."""
    asked = []
    whole = SimpleNamespace(total_memory=16 * 2**30)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: whole)
    monkeypatch.setattr(
        torch.cuda, "set_per_process_memory_fraction", lambda *given: asked.append(given)
    )
    benchmark.limit_memory(torch.device("cuda"), gigabytes)
    assert asked == [(share, 1)]
    with pytest.raises(UserError, match="there is none"):
        benchmark.limit_memory(torch.device("cpu"), gigabytes)


@pytest.mark.gpu
def test_vgg_trains_at_batch_16_in_4_gb(coco_dir):
    settings = TrainSettings(
        data=coco_dir, output=Path(), init="none", max_images=16, gradient_checkpointing=True
    )
    speed = benchmark.measure_training(settings, steps=2, memory_gb=4)
    assert speed.peak_memory_gb < 4 * 1.074


def test_oracle_on_val2017(coco_dir, capfd):
    """Perfect maps, decoded by the product, bound every network's AP."""
    assert oracle.main(["--data", str(coco_dir), "--split", "val2017"]) == 0
    assert "Oracle AP 0." in capfd.readouterr().out
    assert oracle.main(["--data", str(coco_dir), "--split", "mine"]) == 2
    result = run_oracle(coco_dir, "val2017", [432])
    assert result.ap >= 0.85
    assert sum(result.counts.values()) == result.people > 300
    # Where all keypoints are found nothing is lost but rounding: no shift, no scale.
    rounded = next(k for k in result.lost if "rounded" in k)
    assert result.lost[rounded] < 0.01


def test_a_shift_between_targets_and_decoder_would_show(coco_dir, monkeypatch):
    make = oracle.make_targets
    monkeypatch.setattr(oracle, "make_targets", lambda points, *a: make(points + 6, *a))
    assert run_oracle(coco_dir, "val2017", [432]).ap < 0.8


def test_perfect_maps_peak_at_the_keypoints():
    points = np.full((1, 18, 3), np.nan, np.float32)
    points[0, 0] = (333, 222, 2)
    labels = ImageLabels(None, 1, (480, 640), points, np.zeros((1, 4)), np.ones(1))
    maps = perfect_maps(labels, 368)
    assert maps.heatmaps.shape == (19, 46, 62)
    row, column = np.unravel_index(maps.heatmaps[0].argmax(), maps.heatmaps[0].shape)
    place = maps.grid.to_image(np.array([column, row]))
    assert place == pytest.approx((333, 222), abs=0.5 * 8 * 480 / 368)
