"""A teacher's maps: warped to crops as labels are, blended with them, kept while a run lasts."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch

from pose.errors import UserError
from pose.geometry import Grid
from pose.networks import StageMaps
from train import launch
from train.augment import make_warp, warp_keypoints
from train.coco import read_coco, take_slice
from train.launch import train
from train.loss import field_loss
from train.targets import make_targets
from train.teacher import Teacher, blended, raised, warp_maps
from train.trainer import Trainer

PERSON = np.array(
    "130,60 130,90 110,92 100,130 96,165 152,91 160,128 165,160 116,170 114,220 112,268 144,171 "
    "146,222 149,270 125,54 136,55 118,58 143,59".replace(",", " ").split(),
    np.float32,
).reshape(18, 2)


def person() -> np.ndarray:
    return np.concatenate([PERSON, np.ones((18, 1), np.float32)], 1)[None]


@pytest.mark.parametrize("degrees", [0, 25, -40])
@pytest.mark.parametrize("flipped", [False, True])
def test_maps_follow_the_labels(degrees, flipped):
    """Targets warped to a crop are the targets of the warped keypoints."""
    warp = make_warp(256, (131, 160), 0.9, degrees, (6, -9), flipped)
    planes = torch.cat(make_targets(torch.from_numpy(person())[None], (40, 40), 14, 2), 1)[0]
    warped = warp_maps(planes.numpy(), Grid(8.0, 8.0, (320, 320)), warp)
    moved = torch.from_numpy(warp_keypoints(person(), warp))[None]
    expected = torch.cat(make_targets(moved, (32, 32), 14 * 0.9, 2 * 0.9), 1)[0].numpy()
    heatmaps = np.abs(warped[38:] - expected[38:])
    assert heatmaps.mean() < 0.004 and heatmaps.max() < 0.15
    # The fields end sharply, so only the cells well inside are alike.
    inside = np.abs(expected[:38]).reshape(19, 2, 32, 32).sum(1) > 0
    strong = np.linalg.norm(warped[:38].reshape(19, 2, 32, 32), axis=1) > 0.95
    both = np.broadcast_to((inside & strong)[:, None], (19, 2, 32, 32)).reshape(38, 32, 32)
    assert both.sum() > 200
    assert np.abs(warped[:38] - expected[:38])[both].max() < 0.1


def test_a_shift_moves_the_maps_as_it_moves_the_labels():
    warp = make_warp(256, (131, 160), 1.0)
    planes = torch.cat(make_targets(torch.from_numpy(person())[None], (40, 40), 14, 2), 1)[0]
    grid = Grid(8.0, 8.0, (320, 320))
    moved = warp_maps(planes.numpy(), grid, warp, (8.0, 0.0))
    still = warp_maps(planes.numpy(), grid, warp)
    np.testing.assert_allclose(moved[:, :, 1:], still[:, :, :-1], atol=1e-5)


def test_outside_of_the_photo_is_background():
    planes = np.zeros((57, 40, 40), np.float32)
    planes[56] = 1
    warped = warp_maps(planes, Grid(8.0, 8.0, (320, 320)), make_warp(256, (0, 0), 0.5))
    np.testing.assert_allclose(warped[56], 1, atol=1e-6)
    assert not warped[:56].any()


def test_raised_maps_end_at_one_and_keep_their_directions():
    maps = np.random.default_rng(0).normal(0, 0.4, (57, 6, 7)).astype(np.float32)
    higher = raised(maps, 1.4)
    before = np.linalg.norm(maps[:38].reshape(19, 2, 6, 7), axis=1)
    after = np.linalg.norm(higher[:38].reshape(19, 2, 6, 7), axis=1)
    np.testing.assert_allclose(after, np.minimum(1.4 * before, 1), rtol=1e-5)
    assert (np.sign(higher[:38]) == np.sign(maps[:38])).all()
    np.testing.assert_allclose(higher[38:56], np.minimum(1.4 * maps[38:56], 1), rtol=1e-6)
    np.testing.assert_allclose(higher[56], 1 - higher[38:56].max(0), rtol=1e-6)
    assert np.array_equal(raised(maps, 1), maps)


def test_blended_targets_have_the_gradient_of_both_losses():
    torch.manual_seed(0)
    maps = torch.randn(2, 57, 5, 6, requires_grad=True)
    labels, teacher, mask = torch.randn(2, 57, 5, 6), torch.randn(2, 57, 5, 6), torch.rand(2, 5, 6)
    mask[0, 0, 0] = 0

    def stages(values):
        return StageMaps(values[:, :38], values[:, 38:])

    def gradient(loss):
        return torch.autograd.grad(loss, maps)[0]

    share = 0.3
    both = (1 - share) * field_loss([stages(maps)], stages(labels), mask).total
    both = both + share * field_loss([stages(maps)], stages(teacher), torch.ones(2, 5, 6)).total
    expected = gradient(both)
    targets, weight = blended(stages(labels), mask, teacher, share)
    found = gradient(field_loss([stages(maps)], targets, weight).total)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)


def test_a_taught_run_keeps_the_maps_only_while_it_lasts(settings, capsys):
    run = settings(teacher="mobilenet-thin", crop=128, max_images=2, max_steps=1)
    train(run)
    assert "The teacher looks at 2 photos" in (run.output / "log.txt").read_text()
    assert (run.output / "weights.safetensors").is_file()
    assert not (run.output / "teacher").exists()


def test_the_teachers_network_is_gone_when_the_training_begins(settings, monkeypatch):
    made, alive = [], []
    teaching, fit = launch.teaching, Trainer.fit

    def watched(*arguments):
        estimator = teaching(*arguments)
        made.extend([weakref.ref(estimator), weakref.ref(estimator.weights.network)])
        return estimator

    def begin(self):
        gc.collect()
        alive.extend(reference() for reference in made)
        return fit(self)

    monkeypatch.setattr(launch, "teaching", watched)
    monkeypatch.setattr(Trainer, "fit", begin)
    train(settings(teacher="mobilenet-thin", crop=64, max_images=1, max_steps=1))
    assert alive == [None, None]


def test_a_photo_the_teacher_has_not_seen_is_told(settings, tmp_path):
    run = settings()
    data = take_slice(read_coco(run.data, "train2017"), max_images=1)
    with pytest.raises(OSError, match="No such file"):
        Teacher(tmp_path).crop(data.images[0], make_warp(128, (50, 50), 1.0))


def test_an_unknown_teacher_is_one_line_before_anything_is_given_up(settings):
    run = settings(teacher="nobody")
    with pytest.raises(UserError, match="nobody"):
        train(run)
    assert not (run.output / "settings.json").exists()


def test_keeping_a_share_of_the_start_lies_between_start_and_training(settings, tmp_path):
    """The saved weights of keep_start 0.75 are 0.75 of the start and 0.25 of the trained ones."""
    from safetensors.torch import load_file

    from pose.weights import load_weights

    trained = settings(output=tmp_path / "all", crop=128, learning_rate=1e-3)
    kept = settings(output=tmp_path / "kept", crop=128, learning_rate=1e-3, keep_start=0.75)
    train(trained)
    train(kept)
    warned = ["--keep-start 0.5" in (tmp_path / n / "log.txt").read_text() for n in ("all", "kept")]
    assert warned == [True, False], "few images without a guard are warned of, with one not"
    start = load_weights("mobilenet-thin").network.state_dict()
    a = load_file(tmp_path / "all" / "weights.safetensors")
    b = load_file(tmp_path / "kept" / "weights.safetensors")
    assert any((a[k] - start[k]).abs().max() > 1e-4 for k in a)
    for key in a:
        torch.testing.assert_close(b[key], a[key].lerp(start[key], 0.75), atol=1e-6, rtol=1e-5)


def test_keeping_a_share_of_nothing_is_refused(settings):
    with pytest.raises(UserError, match="--keep-start"):
        settings(network="openpose", init="imagenet", keep_start=0.5)
