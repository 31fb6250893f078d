"""The layer table against the networks themselves and the numbers published for them."""

import re

import pytest
import torch

from pose.errors import UserError
from pose.networks.build import OpenPoseNet, build_network
from pose.networks.summary import layer_rows, summary_text

ROW = re.compile(r"\s*(\w+)-(\d+)\s+\[([\d, ]+)\]\s+([\d,]+)")


def table(text: str) -> list[tuple[str, int, list[int], int]]:
    return [
        (m[1], int(m[2]), [int(n) for n in m[3].split(",")], int(m[4].replace(",", "")))
        for m in map(ROW.fullmatch, text.splitlines())
        if m
    ]


def test_openpose_has_the_published_rows_and_totals():
    text = summary_text("openpose")
    rows = table(text)
    assert [number for _, number, _, _ in rows] == list(range(1, 177))
    assert rows[0] == ("Conv2d", 1, [32, 64, 368, 368], 1792)
    assert rows[27] == ("FeatureModule", 28, [32, 128, 46, 46], 0)
    assert rows[28] == ("Conv2d", 29, [32, 128, 46, 46], 147_584)
    assert rows[-1] == ("Conv2d", 176, [32, 19, 46, 46], 2451)
    assert sum(parameters for *_, parameters in rows) == 52_311_446
    for line in (
        "Total params: 52,311,446",
        "Trainable params: 52,311,446",
        "Non-trainable params: 0",
        "Input size (MB): 49.59",
        "Forward/backward pass size (MB): 29337.80",
        "Params size (MB): 199.55",
        "Estimated Total Size (MB): 29586.95",
    ):
        assert line in text.splitlines()


def test_blocks_come_in_forward_order():
    outputs = [
        shape[1] for name, _, shape, _ in table(summary_text("openpose")) if name == "Conv2d"
    ]
    last_of_blocks = [channels for channels in outputs if channels in (19, 38)]
    assert last_of_blocks == [38, 19] * 6


def test_shapes_and_parameters_are_those_of_a_real_pass():
    network = OpenPoseNet()
    real = layer_rows(network, 1, 16)
    assert [list(row.shape) for row in real] == [
        r[2] for r in table(summary_text("openpose", 1, 16))
    ]
    assert sum(row.parameters for row in real) == sum(p.numel() for p in network.parameters())


def test_hooks_are_gone_afterwards():
    network = build_network("mobilenet-thin")
    before = len(layer_rows(network, 1, 16))
    assert len(layer_rows(network, 1, 16)) == before
    assert not any(module._forward_hooks for module in network.modules())


def test_frozen_parameters_are_told_apart():
    network = build_network("mobilenet-thin")
    network.stem.requires_grad_(False)
    rows = layer_rows(network, 1, 16)
    frozen = sum(p.numel() for p in network.stem.parameters())
    assert sum(r.parameters for r in rows) - sum(r.trainable for r in rows) == frozen


def test_mobilenet_has_its_parameters():
    assert "Total params: 1,930,872" in summary_text("mobilenet-thin")


def test_batch_and_size_show_in_the_shapes():
    rows = table(summary_text("openpose", batch=2, size=64))
    assert rows[0][2] == [2, 64, 64, 64]
    assert rows[-1][2] == [2, 19, 8, 8]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("vgg",), "openpose, mobilenet-thin"),
        (("openpose", 0), "at least one image"),
        (("openpose", 1, 100), "multiple of 8"),
        (("openpose", 1, 0), "multiple of 8"),
    ],
)
def test_bad_input_is_one_clear_line(arguments, words):
    with pytest.raises(UserError, match=words) as caught:
        summary_text(*arguments)
    assert "\n" not in str(caught.value)


def test_default_device_is_left_alone():
    summary_text("openpose")
    assert torch.empty(1).device.type == "cpu"
