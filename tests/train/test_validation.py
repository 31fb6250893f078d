"""Validation in a training: mistakes show before it, and faults cost nothing."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from pose.engines.forward import OutOfMemory
from pose.engines.torch_engine import TorchEngine
from pose.errors import UserError
from pose.weights.load import load_weights
from train.__main__ import main
from train.launch import train
from train.validation import Validator


@pytest.fixture
def listed(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("000000000036.jpg\n")
    return path


@pytest.fixture
def validated(settings, listed):
    """An epoch is one step."""

    def make(**changes):
        same = {"crop": 64, "max_images": 1, "batch_size": 16, "max_steps": 3}
        more = {"val_split": "train2017", "val_image_list": listed, "ema": 0.0}
        return settings(**{**same, **more, **changes})

    return make


def records(run, kind):
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [r for r in map(json.loads, lines) if r["kind"] == kind]


@pytest.mark.parametrize("content", ["", "nowhere.jpg\n"], ids=["empty", "unknown"])
def test_a_wrong_list_shows_before_the_training(validated, listed, content):
    listed.write_text(content)
    with pytest.raises(UserError, match=r"list\.txt"):
        train(validated())
    assert not (validated().output / "settings.json").exists()


def test_a_list_or_images_that_are_not_there_show_before_the_training(validated, small_coco):
    chosen = validated()
    missing = chosen.output.parent / "missing.txt"
    with pytest.raises(UserError, match=r"missing\.txt"):
        train(validated(val_image_list=missing))
    (small_coco.folder / "val2017").mkdir()
    annotations = small_coco.folder / "annotations"
    (annotations / "person_keypoints_val2017.json").write_bytes(
        (annotations / "person_keypoints_train2017.json").read_bytes()
    )
    with pytest.raises(UserError, match="has a photo"):
        train(validated(data=small_coco.folder, val_split="val2017", val_image_list=None))
    assert not (chosen.output / "settings.json").exists()


@pytest.mark.parametrize(
    "failing, error", [(1, UserError("no image is left")), (2, RuntimeError("a surprise"))]
)
def test_a_validation_that_fails_costs_nothing(validated, monkeypatch, tmp_path, failing, error):
    whole = train(validated(output=tmp_path / "whole", max_steps=2))
    chosen = validated(output=tmp_path / "failed", max_steps=2)
    measure, calls = Validator.measure, []

    def fail(self, network):
        calls.append(1)
        if len(calls) == failing:
            raise error
        return measure(self, network)

    monkeypatch.setattr(Validator, "measure", fail)
    with pytest.raises(type(error), match=str(error)):
        train(chosen)
    state = torch.load(chosen.output / "checkpoints/last.pt", weights_only=True)
    assert state["step"] == failing
    assert f"--resume {chosen.output}" in (chosen.output / "log.txt").read_text()

    assert main(["--resume", str(chosen.output)]) == 0
    for kind, value in (("epoch", "loss"), ("validation", "ap")):
        expected, found = (
            {r["step"]: r[value] for r in records(run, kind)}
            for run in (whole.weights.parent, chosen.output)
        )
        assert found == pytest.approx(expected, abs=1e-6)
        assert len(records(chosen.output, kind)) == len(found) == 2
    expected = load_file(whole.weights)
    for name, value in load_file(chosen.output / "weights.safetensors").items():
        torch.testing.assert_close(value, expected[name], atol=1e-6, rtol=0)


def test_a_photo_that_does_not_fit_leaves_the_ap_unmeasured(validated, monkeypatch):
    run = TorchEngine.run

    def cramped(self, pictures, all_stages=False):
        if len(tried) == 2:  # the second epoch's
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return run(self, pictures, all_stages)

    measure, tried = Validator.measure, []

    def counted(self, network):
        tried.append(1)
        return measure(self, network)

    monkeypatch.setattr(TorchEngine, "run", cramped)
    monkeypatch.setattr(Validator, "measure", counted)
    chosen = validated()
    summary = train(chosen)
    assert [r["step"] for r in records(chosen.output, "validation")] == [1, 3]
    assert summary.ap == max(r["ap"] for r in records(chosen.output, "validation"))
    assert (
        "not measured: the device has too little memory" in (chosen.output / "log.txt").read_text()
    )


def test_without_any_ap_the_last_weights_are_taken(validated, monkeypatch):
    def full(*_):
        raise OutOfMemory("too little memory")

    monkeypatch.setattr(Validator, "measure", full)
    summary = train(validated(max_steps=1))
    assert summary.finished and summary.ap is None
    assert load_weights(str(summary.weights)).card.ap is None
