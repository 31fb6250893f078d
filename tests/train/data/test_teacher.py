"""A teacher's maps: of both views in the trained network's places, and blended with labels."""

from __future__ import annotations

import json

import pytest
import torch
from places import EXAMPLES

from pose import load_image
from pose.errors import UserError
from pose.networks.build import StageMaps
from train.data.targets import make_targets
from train.launch import train
from train.loss import field_loss
from train.teacher import Teacher, blended, moved


@pytest.fixture(scope="module")
def teacher() -> Teacher:
    return Teacher.load("mobilenet-thin", torch.device("cpu"))


@pytest.fixture(scope="module")
def photo() -> torch.Tensor:
    """(1, 320, 320, 3) with a person."""
    return torch.from_numpy(load_image(EXAMPLES / "astronaut.jpg")[:320, 60:380].copy())[None]


def joined(maps: StageMaps) -> torch.Tensor:
    return torch.cat(maps, 1)


def test_the_mirrored_view_lies_where_the_other_does(teacher, photo):
    """Its maps are mirrored back, limbs' directions too, and the shift is made up for."""
    own = teacher.network(teacher.preprocessing(photo))[-1]

    def errors(teacher: Teacher) -> list[float]:
        both = teacher(photo, teacher.shift)
        return [
            float((2 * (mean - plain)).square().mean() / plain.square().mean())
            for mean, plain in zip(both, own, strict=True)
        ]

    pafs, heatmaps = errors(teacher)
    assert pafs < 0.15 and heatmaps < 0.06
    unmoved = errors(Teacher(teacher.network, teacher.preprocessing))
    assert pafs < unmoved[0] and heatmaps < unmoved[1]


def test_maps_are_moved_to_where_the_trained_network_has_them(teacher, photo):
    there = joined(teacher(photo, (teacher.shift[0] + 8, teacher.shift[1] - 16)))
    here = joined(teacher(photo, teacher.shift))
    away = (there - here).abs().mean()
    assert (there - here.roll((-2, 1), (2, 3)))[:, :, :-2, 1:].abs().mean() < away / 3


def test_moving_repeats_the_border():
    images = torch.arange(6).view(1, 2, 3, 1)
    assert moved(images, 1, 0)[0, :, :, 0].tolist() == [[0, 0, 1], [3, 3, 4]]
    assert moved(images, -2, 1)[0, :, :, 0].tolist() == [[2, 2, 2], [2, 2, 2]]


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
    targets, weight = blended(stages(labels), mask, stages(teacher), share)
    found = gradient(field_loss([stages(maps)], targets, weight).total)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-4)


def test_people_without_labels_are_left_to_the_teacher():
    """Away from the labels; near them the teacher's surplus is learned away."""
    everybody = torch.full((1, 3, 18, 3), torch.nan)
    everybody[0, :, :2] = torch.tensor(
        [[[40, 40, 1], [40, 80, 1]], [[48, 44, 1], [48, 84, 1]], [[200, 200, 1], [200, 240, 1]]]
    )
    labels, teacher = make_targets(everybody[:, :1]), make_targets(everybody)
    targets, weight = blended(labels, torch.ones(1, 46, 46), teacher, 0.5)
    assert (weight[0, 22:32, 23:27] == 0.5).all() and (weight[0, :16, :16] == 1).all()
    for given, seen, label in zip(targets, teacher, labels, strict=True):
        assert torch.equal(given[0, :, 22:32, 23:27], seen[0, :, 22:32, 23:27])
        torch.testing.assert_close(given[0, :, :16, :16], (seen + label)[0, :, :16, :16] / 2)


def test_a_taught_run_starts_near_its_targets(settings, tmp_path):
    """The start is nearer to what it sees in both views than to the labels."""

    def first_loss(name: str, **changes) -> float:
        run = settings(output=tmp_path / name, max_steps=1, **changes)
        train(run)
        records = map(json.loads, (run.output / "metrics.jsonl").read_text().splitlines())
        return next(record["loss"] for record in records if record["kind"] == "step")

    taught = first_loss("taught", teacher="mobilenet-thin", teacher_share=1.0)
    assert 0 < taught < first_loss("plain") / 4


def test_an_unknown_teacher_is_one_line_before_anything_is_given_up(settings):
    run = settings(teacher="nobody")
    with pytest.raises(UserError, match="nobody"):
        train(run)
    assert not (run.output / "settings.json").exists()


def test_keeping_a_share_of_the_start_lies_between_start_and_training(settings, tmp_path):
    """The saved weights of keep_start 0.75 are 0.75 of the start and 0.25 of the trained ones."""
    from safetensors.torch import load_file

    from pose.weights.load import load_weights

    trained = settings(output=tmp_path / "all", crop=64, learning_rate=1e-3)
    kept = settings(output=tmp_path / "kept", crop=64, learning_rate=1e-3, keep_start=0.75)
    train(trained)
    train(kept)
    start = load_weights("mobilenet-thin").network.state_dict()
    a = load_file(tmp_path / "all" / "weights.safetensors")
    b = load_file(tmp_path / "kept" / "weights.safetensors")
    assert any((a[k] - start[k]).abs().max() > 1e-4 for k in a)
    for key in a:
        torch.testing.assert_close(b[key], a[key].lerp(start[key], 0.75), atol=1e-6, rtol=1e-5)


def test_keeping_a_share_of_nothing_is_refused(settings):
    with pytest.raises(UserError, match="--keep-start"):
        settings(network="openpose", init="imagenet", keep_start=0.5)
