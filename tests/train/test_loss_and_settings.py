"""The loss, and the settings' checks and command line."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch
import torch.nn.functional as F

from pose.errors import UserError
from pose.networks.build import StageMaps
from train.__main__ import main, make_parser, settings_from
from train.loss import field_loss
from train.options import from_mapping
from train.run_directory import RunDirectory
from train.settings import TrainSettings


def maps(seed):
    torch.manual_seed(seed)
    return StageMaps(torch.randn(2, 38, 5, 6), torch.randn(2, 19, 5, 6))


def test_mean_is_mse_loss_summed_over_stages_and_fields():
    stages, targets = [maps(1), maps(2)], maps(3)
    mask = (torch.rand(2, 5, 6) > 0.3).float()
    w = mask[:, None].sqrt()
    expected = sum(
        F.mse_loss(w * a, w * b) for s in stages for a, b in zip(s, targets, strict=True)
    )
    terms = field_loss(stages, targets, mask)
    torch.testing.assert_close(terms.total, expected)
    torch.testing.assert_close(terms.total, (terms.pafs + terms.heatmaps).sum())


def test_ignored_cells_neither_count_nor_learn():
    prediction, targets = maps(1), maps(3)
    prediction.pafs.requires_grad_()
    mask = torch.ones(2, 5, 6)
    mask[0, 2, 3] = 0
    field_loss([prediction], targets, mask).total.backward()
    gradient = prediction.pafs.grad
    assert (gradient[0, :, 2, 3] == 0).all() and (gradient[0, :, 2, 2] != 0).all()


def test_the_names_of_bad_samples_can_be_found():
    prediction, targets = maps(1), maps(3)
    prediction.heatmaps[1, 4, 2, 2] = torch.nan
    finite = field_loss([prediction], targets, torch.ones(2, 5, 6)).per_sample.isfinite()
    assert finite.tolist() == [True, False]


def test_every_setting_has_a_sentence_and_an_option():
    help_text = make_parser().format_help()
    for field in dataclasses.fields(TrainSettings):
        assert field.metadata["help"].endswith("."), field.name
        assert "--" + field.name.replace("_", "-") in help_text


def test_defaults_are_the_seeds():
    given = make_parser().parse_args(["--data", "d", "--output", "o"])
    settings, resume, overwrite = settings_from(given)
    assert (settings.network, settings.epochs, settings.batch_size) == ("openpose", 10, 16)
    assert settings.initial_weights == "imagenet" and not resume and not overwrite


@pytest.mark.parametrize(
    "options",
    [
        ["--scale-min", "2", "--scale-max", "1"],
        ["--batch-size", "0"],
        ["--fraction", "1.5"],
        ["--flip", "nan"],
        ["--network", "mobilenet-thin", "--init", "imagenet"],
        ["--micro-batch", "17"],
        ["--val-image-list", "x.txt"],
        ["--init", "no-such-weights"],
        ["--precision", "fp16", "--device", "cpu"],
        ["--train-split", "nothing"],
    ],
)
def test_mistakes_are_one_line_and_status_2(options, coco_dir, tmp_path, capfd):
    run = tmp_path / "run"
    assert main(["--data", str(coco_dir), "--output", str(run), *options]) == 2
    told = capfd.readouterr().err.strip()
    assert told and "\n" not in told and "Traceback" not in told


def test_settings_survive_json(tmp_path):
    settings = TrainSettings(data=tmp_path, output=tmp_path / "o", max_steps=3)
    assert from_mapping(json.loads(settings.to_json())) == settings
    with pytest.raises(UserError, match="--data COCO_DIR"):
        from_mapping({"output": "o"})


def test_settings_of_another_version_are_one_line(tmp_path):
    settings = TrainSettings(data=tmp_path, output=tmp_path)
    old = {**json.loads(settings.to_json()), "optimizer": "sgd"}
    (tmp_path / "settings.json").write_text(json.dumps(old))
    with pytest.raises(UserError, match=r"Unknown training settings: optimizer.*new run"):
        RunDirectory(tmp_path).read_settings()
