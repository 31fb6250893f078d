"""Validation in a training: mistakes show before it, faults cost nothing, looks are alike."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file

from pose.engines.pytorch import TorchEngine
from pose.errors import UserError
from pose.out_of_memory import TOO_LITTLE
from pose.weights import load_weights
from train import validation
from train.__main__ import main
from train.initial import make_start
from train.launch import train
from train.measuring import BrokenImage
from train.validation import Validation, Validator


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
    with pytest.raises(UserError, match="has a file"):
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


@pytest.fixture
def cramped(monkeypatch):
    """Lets PyTorch's engine hold only so many pixels; None for any number."""
    run, room = TorchEngine.run, {"pixels": None}

    def limited(self, pictures, all_stages=False):
        if room["pixels"] and pictures[..., 0].size > room["pixels"]:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return run(self, pictures, all_stages)

    monkeypatch.setattr(TorchEngine, "run", limited)
    return room


@pytest.mark.filterwarnings("ignore:.*memory:UserWarning")
def test_an_ap_of_a_halved_input_is_not_comparable(validated, listed, cramped):
    listed.write_text("000000000036.jpg\n000000000049.jpg\n")
    chosen = validated()
    validator = Validator(chosen, make_start(chosen), "cpu")
    network = load_weights("mobilenet-thin").network
    whole = validator.measure(network)
    assert whole.comparable and whole.notes == () and whole.ap > 0
    cramped["pixels"] = 600 * 400
    halved = validator.measure(network)
    assert not halved.comparable and "input size was halved" in halved.notes[0]
    cramped["pixels"] = 10
    with pytest.raises(UserError, match="too little memory"):
        validator.measure(network)


def test_such_an_ap_does_not_choose_the_best_weights(validated, monkeypatch):
    halved = Validation(0.9, ("The input size was halved.",), comparable=False)
    values = iter([Validation(0.1), halved, Validation(0.2)])
    monkeypatch.setattr(Validator, "measure", lambda *_: next(values))
    chosen = validated()
    assert train(chosen).ap == 0.2
    log = (chosen.output / "log.txt").read_text()
    assert "Validation: The input size was halved." in log
    assert "The AP of epoch 2 was measured with too little memory" in log
    found = [(r["ap"], r["comparable"]) for r in records(chosen.output, "validation")]
    assert found == [(0.1, True), (0.9, False), (0.2, True)]


def test_without_a_comparable_ap_the_last_weights_are_taken(validated, monkeypatch):
    halved = Validation(0.9, ("The input size was halved.",), comparable=False)
    monkeypatch.setattr(Validator, "measure", lambda *_: halved)
    summary = train(validated(max_steps=1))
    assert summary.finished and summary.ap is None
    assert load_weights(str(summary.weights)).card.ap is None


def test_images_left_out_for_lack_of_memory_make_an_ap_not_comparable(validated, monkeypatch):
    broken = [BrokenImage("a.jpg", "a.jpg is no photo")]
    found = SimpleNamespace(ap=0.5, notes=(), broken=broken)
    monkeypatch.setattr(validation, "evaluate_estimator", lambda *_, **__: found)
    chosen = validated()
    start = make_start(chosen)
    validator = Validator(chosen, start, "cpu")
    assert validator.measure(start.network.eval()) == Validation(0.5)
    broken.append(BrokenImage("b.jpg", f"{TOO_LITTLE}: choose --device cpu"))
    measured = validator.measure(start.network.eval())
    assert not measured.comparable and TOO_LITTLE in measured.notes[0]
