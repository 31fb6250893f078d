"""What is measured: weights, photos, and the plain path to compare with."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmark.plain import plain_decode
from pose.cli.inputs import find_files, is_video
from pose.decoding.field_maps import FieldMaps
from pose.errors import UserError
from pose.files import EXAMPLES
from pose.geometry import Grid, fit
from pose.images.load import load_image
from pose.networks.build import NETWORKS
from pose.networks.preprocessing import PREPROCESSINGS
from pose.person import Person
from pose.skeleton import NUM_HEATMAPS, NUM_PAFS
from pose.weights.catalogue import WeightsCard
from pose.weights.load import LoadedWeights, load_weights

SIDE = 368
"""Shorter side of the network's input, as in the preset fast."""

RANDOM = "random-"
"""With this prefix, the name of a network stands for that network with random weights."""


def find_weights(name: str, weights_dir: str | None = None) -> LoadedWeights:
    """Weights by name, or random ones: `random-openpose`.

    Raises:
        UserError: there are none of that name.
    """
    if not name.startswith(RANDOM):
        return load_weights(name, weights_dir=weights_dir)
    kind = name.removeprefix(RANDOM)
    if kind not in NETWORKS:
        raise UserError(f"no network is called {kind!r}: choose {', '.join(NETWORKS)}")
    torch.manual_seed(0)
    card = WeightsCard(name, name, kind, "imagenet", source="random", licence="none")
    network = NETWORKS[kind]().eval().requires_grad_(False)
    for module in network.modules():
        # Activations of ordinary size in every layer, and maps without peaks.
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.out_channels in (NUM_PAFS, NUM_HEATMAPS):
                module.weight.data.mul_(1e-3)
    return LoadedWeights(network, PREPROCESSINGS["imagenet"], card, (), f"{name}-2", name)


@dataclass(frozen=True)
class Photo:
    """A photo file and the network's input, RGB uint8 (H, W, 3), with the grid of its maps."""

    path: Path
    picture: np.ndarray
    grid: Grid


def find_photos(folder: str | None, limit: int, weights: LoadedWeights) -> list[Photo]:
    """At most `limit` photos, spread over the folder; by default the bundled examples.

    Raises:
        UserError: there are none in the folder.
    """
    files = [path for path in find_files([folder or EXAMPLES]) if not is_video(path)]
    step = max(1, len(files) // limit)
    photos = []
    for path in files[::step][:limit]:
        picture, grid = fit(load_image(path), SIDE, weights.preprocessing.border())
        photos.append(Photo(path, picture, grid))
    return photos


class Plain:
    """The plain path: eager PyTorch in fp32, one photo at a time, and the plain decoder."""

    def __init__(self, weights: LoadedWeights) -> None:
        # A copy in PyTorch's default memory format, because engines convert the original.
        self.network = copy.deepcopy(weights.network).to(memory_format=torch.contiguous_format)
        self.preprocessing = weights.preprocessing

    @torch.inference_mode()
    def maps(self, photo: Photo) -> FieldMaps:
        """The network's maps of a photo."""
        images = torch.from_numpy(np.ascontiguousarray(photo.picture[None]))
        stage = self.network(self.preprocessing(images).contiguous())[-1]
        return FieldMaps(stage.heatmaps[0].numpy(), stage.pafs[0].numpy(), photo.grid)

    def people(self, path: Path) -> list[Person]:
        """The people in a photo file."""
        picture, grid = fit(load_image(path), SIDE, self.preprocessing.border())
        return plain_decode(self.maps(Photo(path, picture, grid)))


def mosaic(photos: list[Photo]) -> Photo:
    """A 3x3 mosaic of photos, which repeat if there are fewer than nine: a crowd."""
    tiles = []
    for i in range(9):
        corner = photos[i % len(photos)].picture[:SIDE, :SIDE]
        tile = np.zeros((SIDE, SIDE, 3), np.uint8)
        tile[: corner.shape[0], : corner.shape[1]] = corner
        tiles.append(tile)
    picture = np.vstack([np.hstack(tiles[i : i + 3]) for i in (0, 3, 6)])
    return Photo(Path("mosaic"), picture, Grid(8.0, 8.0, (3 * SIDE, 3 * SIDE)))
