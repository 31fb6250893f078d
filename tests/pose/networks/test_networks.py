"""Shapes, sizes and stages of the networks."""

import pytest
import torch

from pose.networks.build import MobileNetThin, OpenPoseNet, build_network


@pytest.mark.parametrize(
    ("name", "count"), [("openpose", 52_311_446), ("mobilenet-thin", 1_930_872)]
)
def test_parameters(name, count):
    assert sum(p.numel() for p in build_network(name).parameters()) == count


@pytest.mark.parametrize("name", ["openpose", "mobilenet-thin"])
@pytest.mark.parametrize("size", [(368, 368), (64, 8), (40, 72)])
def test_six_stages_of_both_maps(name, size):
    network = build_network(name).to("meta")
    stages = network(torch.empty(2, 3, *size, device="meta"))
    assert len(stages) == 6
    for stage in stages:
        assert stage.pafs.shape == (2, 38, size[0] // 8, size[1] // 8)
        assert stage.heatmaps.shape == (2, 19, size[0] // 8, size[1] // 8)


def test_later_stages_read_earlier_maps():
    torch.manual_seed(0)
    network = OpenPoseNet().eval()
    inputs = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        before = network(inputs)
        network.block3_1.model[-1].bias += 1
        after = network(inputs)
    for stage in range(6):
        same = torch.equal(before[stage].heatmaps, after[stage].heatmaps)
        assert same == (stage < 3)


def test_batch_norm_folds_away():
    torch.manual_seed(0)
    network = MobileNetThin(batch_norm=True)
    network.train()
    for _ in range(2):
        network(torch.randn(2, 3, 64, 64))
    network.eval()
    inputs = torch.randn(1, 3, 48, 64)
    with torch.no_grad():
        before = network(inputs)
        network.fold()
        after = network(inputs)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())
    for a, b in zip(before, after, strict=True):
        torch.testing.assert_close(a.heatmaps, b.heatmaps, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(a.pafs, b.pafs, atol=1e-4, rtol=1e-4)
    MobileNetThin().load_state_dict(network.state_dict())


def test_unknown_name():
    with pytest.raises(ValueError, match="openpose"):
        build_network("alexnet")
