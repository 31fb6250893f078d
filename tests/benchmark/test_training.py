"""python -m benchmark training: the cost of samples and steps."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from places import NEEDS_COCO, SHARED

from benchmark import training
from benchmark.__main__ import main
from pose.errors import UserError
from train.settings import TrainSettings


@pytest.fixture(scope="module")
def coco_dir() -> Path:
    if not (SHARED / "coco" / "annotations").is_dir():
        pytest.skip(NEEDS_COCO)
    return SHARED / "coco"


def test_the_cost_of_a_sample(coco_dir, capfd):
    assert main(["training", "--data", str(coco_dir), "--samples", "8"]) == 0
    text = capfd.readouterr().out
    assert "### 8 samples, one core" in text
    costs = dict(re.findall(r"\| (.+?) \| ([0-9.e+-]+) ms", text))
    assert len(costs) == 5 and all(float(cost) > 0 for cost in costs.values())


def test_the_speed_of_training_steps(coco_dir, capfd):
    options = ["training", "--data", str(coco_dir), "--network", "mobilenet-thin", "--crop", "128"]
    options += ["--batch-size", "2", "--max-images", "2", "--device", "cpu", "--steps", "1"]
    assert main(options) == 0
    assert "2 samples at once" in capfd.readouterr().out
    assert main([*options, "--memory-gb", "4"]) == 2


@pytest.mark.parametrize("gigabytes, share", [(4.0, 0.25), (40.0, 1.0)])
def test_the_limit_is_set_on_the_gpu_of_the_process(monkeypatch, gigabytes, share):
    """Accelerate's device may have no number, which PyTorch's limit needs."""
    asked = []
    whole = SimpleNamespace(total_memory=16 * 2**30)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: whole)
    monkeypatch.setattr(
        torch.cuda, "set_per_process_memory_fraction", lambda *given: asked.append(given)
    )
    training.limit_memory(torch.device("cuda"), gigabytes)
    assert asked == [(share, 1)]
    with pytest.raises(UserError, match="there is none"):
        training.limit_memory(torch.device("cpu"), gigabytes)


@pytest.mark.gpu
def test_vgg_trains_at_batch_16_in_4_gb(coco_dir):
    settings = TrainSettings(
        data=coco_dir, output=Path(), init="none", max_images=16, gradient_checkpointing=True
    )
    _, memory = training.measure_training(settings, steps=2, memory_gb=4)
    assert memory.value < 4 * 1.074
