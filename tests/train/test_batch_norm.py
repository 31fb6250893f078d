"""Batch norm is put back exactly, and takes out what random steps do to folded weights."""

from __future__ import annotations

import copy

import pytest
import torch
from places import EXAMPLES

from pose import load_image
from pose.networks.build import MobileNetThin
from pose.weights.load import load_weights
from train.batch_norm import norms, renew_statistics, unfold
from train.optimizer import channel_scale


@pytest.fixture(scope="module")
def folded() -> MobileNetThin:
    network = load_weights("mobilenet-thin").network.eval().requires_grad_(False)
    assert isinstance(network, MobileNetThin)
    return network


@pytest.fixture(scope="module")
def images() -> list[torch.Tensor]:
    """A batch of the raw BGR pixels that these weights take."""
    photo = torch.from_numpy(load_image(EXAMPLES / "group.jpg").copy()).flip(2).movedim(2, 0)
    return [torch.stack([photo[:, :368, x : x + 368].float() for x in (200, 500, 800)])]


def maps(network: torch.nn.Module, images: list[torch.Tensor]) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat([torch.cat(network.eval()(batch)[-1], 1) for batch in images])


def test_the_maps_stay_the_same(folded, images):
    network = unfold(folded, images)
    assert len(norms(network)) == 1 + 11 + 12 * 4
    torch.testing.assert_close(maps(network, images), maps(folded, images), atol=1e-4, rtol=1e-3)
    renew_statistics(network, images)
    torch.testing.assert_close(maps(network, images), maps(folded, images), atol=1e-2, rtol=1e-2)


def test_random_steps_hurt_less_than_in_folded_weights(folded, images):
    def error(network: MobileNetThin) -> float:
        network = copy.deepcopy(network)
        torch.manual_seed(0)
        for _, parameter in sorted(network.named_parameters()):
            if parameter.ndim == 4:
                step = 0.003 * channel_scale(parameter) * torch.randn_like(parameter)
                parameter.data += step
        if norms(network):
            renew_statistics(network, images)
        return float((maps(network, images) - maps(folded, images)).square().mean())

    assert error(unfold(folded, images)) < error(folded) / 2
