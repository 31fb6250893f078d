"""Checkpoints for the tests, their keys spelled out without the code under test.

The tables repeat the published key lists on purpose: a mistake in `pose.weights.formats` must not
be able to hide in both places.
"""

from __future__ import annotations

import torch

FEATURES = (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25)
CAFFE_FEATURES = (
    "conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3", "conv3_4",
    "conv4_1", "conv4_2", "conv4_3_CPM", "conv4_4_CPM",
)  # fmt: skip
FEATURE_CHANNELS = (3, 64, 64, 128, 128, 256, 256, 256, 256, 512, 512, 256, 128)


def layers() -> list[tuple[str, dict[str, str], tuple[int, int, int]]]:
    """Every convolution: our name, its name by format, (outputs, inputs, kernel)."""
    found = []
    for i, (place, caffe) in enumerate(zip(FEATURES, CAFFE_FEATURES, strict=True)):
        names = {
            "tensorboy": f"model0.{place}",
            "yutaro": f"model0.model.{place}",
            "modules": f"model0.model.{place}",
            "caffe": caffe,
            "own": f"feature.model.{place}",
        }
        found.append((names["own"], names, (FEATURE_CHANNELS[i + 1], FEATURE_CHANNELS[i], 3)))
    for stage in range(1, 7):
        for branch, outputs in ((1, 38), (2, 19)):
            if stage == 1:
                sizes = [(128, 128, 3)] * 3 + [(512, 128, 1), (outputs, 512, 1)]
            else:
                sizes = [(128, 185, 7)] + [(128, 128, 7)] * 4 + [(128, 128, 1), (outputs, 128, 1)]
            for j, size in enumerate(sizes):
                names = {
                    "tensorboy": f"model{stage}_{branch}.{2 * j}",
                    "yutaro": f"model{stage}_{branch}.{2 * j}",
                    "modules": f"model{stage}_{branch}.model.{2 * j}",
                    "caffe": f"conv5_{j + 1}_CPM_L{branch}"
                    if stage == 1
                    else f"Mconv{j + 1}_stage{stage}_L{branch}",
                    "own": f"block{stage}_{branch}.model.{2 * j}",
                }
                found.append((names["own"], names, size))
    return found


def state_dict(form: str, seed: int = 0) -> dict[str, torch.Tensor]:
    """The same seeded numbers under the names of a format; small enough to keep maps finite."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for _, names, (outputs, inputs, kernel) in layers():
        scale = (2 / (inputs * kernel * kernel)) ** 0.5
        weight = torch.randn(outputs, inputs, kernel, kernel, generator=generator) * scale
        state[f"{names[form]}.weight"] = weight
        state[f"{names[form]}.bias"] = torch.randn(outputs, generator=generator) * 0.1
    return state


def caffe_maps(
    state: dict[str, torch.Tensor], images: torch.Tensor
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The six stages' PAFs and heatmaps, computed from Caffe names with plain functions."""
    relu, conv = torch.nn.functional.relu, torch.nn.functional.conv2d

    def layer(x: torch.Tensor, name: str) -> torch.Tensor:
        weight = state[f"{name}.weight"]
        return conv(x, weight, state[f"{name}.bias"], padding=weight.shape[-1] // 2)

    x = images
    for name in CAFFE_FEATURES:
        x = relu(layer(x, name))
        if name in ("conv1_2", "conv2_2", "conv3_4"):
            x = torch.nn.functional.max_pool2d(x, 2)
    features, inputs, stages = x, x, []
    for stage in range(1, 7):
        maps = []
        for branch in (1, 2):
            y = inputs
            names = (
                [f"conv5_{j}_CPM_L{branch}" for j in range(1, 6)]
                if stage == 1
                else [f"Mconv{j}_stage{stage}_L{branch}" for j in range(1, 8)]
            )
            for name in names:
                y = layer(y, name)
                y = y if name == names[-1] else relu(y)
            maps.append(y)
        stages.append((maps[0], maps[1]))
        inputs = torch.cat([*maps, features], 1)
    return stages
