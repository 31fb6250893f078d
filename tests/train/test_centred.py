"""Layers with centred inputs: the same network, whose channels keep their means in training."""

from __future__ import annotations

import copy

import pytest
import torch

from pose.networks.build import OpenPoseNet
from pose.weights.load import load_weights
from train.centred import centre, layers, uncentred


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return 255 * torch.rand(2, 3, 96, 64, generator=generator)


def bundled():
    return load_weights("mobilenet-thin").network.requires_grad_(True)


def test_the_answers_stay_the_same(images):
    network = bundled()
    with torch.no_grad():
        before = network(images)
        centre(network, [images[:1], images[1:]])
        centred = network(images)
        plain = uncentred(network)
        after = plain(images)
    assert plain.state_dict().keys() == bundled().state_dict().keys()
    assert uncentred(plain) is plain
    for maps in (centred, after):
        for one, other in zip(before, maps, strict=True):
            torch.testing.assert_close(one.pafs, other.pafs, rtol=0, atol=1e-4)
            torch.testing.assert_close(one.heatmaps, other.heatmaps, rtol=0, atol=1e-4)
    with torch.no_grad():  # a copy was made plain, and both go on
        assert torch.equal(network(images)[-1].pafs, centred[-1].pafs)


def test_changed_weights_leave_the_means_of_channels(images):
    """Both convolutions of the last backbone layer, whose border alone moves the mean a little."""
    network = bundled()
    moved = {}
    for kind in ("plain", "centred"):
        if kind == "centred":
            centre(network, [images])
        layer = copy.deepcopy(network).backbone[-1]
        seen = []
        network.backbone[-1].register_forward_pre_hook(lambda m, i, seen=seen: seen.append(i[0]))
        with torch.no_grad():
            network(images)
            before = layer.pointwise(layer.depthwise(seen[0])).mean((0, 2, 3))
            layer.depthwise.weight.mul_(1.1)
            layer.pointwise.weight.mul_(1.1)
            after = layer.pointwise(layer.depthwise(seen[0])).mean((0, 2, 3))
        moved[kind] = float((after - before).abs().mean())
    assert moved["centred"] < 0.5 * moved["plain"]


def test_gradients_are_those_of_centred_inputs():
    """One 1x1 layer: the gradient of W is that of W (x - m), and its bias has its own."""
    network = bundled()
    images = 255 * torch.rand(1, 3, 64, 64)
    centre(network, [images])
    layer = network.heatmap_blocks[0][3]
    inputs = 1 + torch.rand(1, 64, 5, 5)
    outputs = layer.pointwise(layer.depthwise(inputs))
    outputs.square().sum().backward()
    mean = layer.pointwise.parametrizations.bias[0].mean[:, None, None]
    scale = layer.depthwise.weight.detach()[:, 0]
    expected = torch.einsum("nohw,nihw->oi", 2 * outputs.detach(), scale * (inputs - mean))
    torch.testing.assert_close(
        layer.pointwise.weight.grad[:, :, 0, 0], expected, rtol=1e-3, atol=1e-3
    )


def test_every_convolution_is_in_one_layer():
    for network in (bundled(), OpenPoseNet()):
        found = [convolution for _, group in layers(network) for convolution in group]
        every = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
        assert len(found) == len(every) and set(found) == set(every)
