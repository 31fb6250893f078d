"""What is measured: weights, photos, and the plain path to compare with."""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pose.catalogue import WeightsCard
from pose.errors import UserError
from pose.geometry import Grid, fit
from pose.image import load_image
from pose.networks import NETWORKS
from pose.preprocessing import PREPROCESSINGS
from pose.preprocessing_guess import EXAMPLES_DIR
from pose.results import FieldMaps
from pose.skeleton import NUM_HEATMAPS, NUM_PAFS
from pose.sources import find_files, is_video
from pose.weights import LoadedWeights, load_weights

SIDE = 368
"""Shorter side of the network's input, the usual one."""

RANDOM = "random-"
"""Weights by this prefix and a network's name are drawn, for the speed of a network alone."""

PLAIN_PATH = Path(__file__).resolve().parents[2] / "tests" / "plain_path.py"


def find_weights(name: str, weights_dir: str | None = None) -> LoadedWeights:
    """Weights by name, or drawn ones: `random-openpose`.

    Raises:
        UserError: there are none of that name.
    """
    if not name.startswith(RANDOM):
        return load_weights(name, weights_dir=weights_dir)
    kind = name.removeprefix(RANDOM)
    if kind not in NETWORKS:
        raise UserError(f"no network is called {kind!r}: choose {', '.join(NETWORKS)}")
    torch.manual_seed(0)
    card = WeightsCard(
        name=name,
        title=name,
        network=kind,
        preprocessing="imagenet",
        source="drawn at random, for speed alone",
        licence="none",
    )
    network = NETWORKS[kind]().eval().requires_grad_(False)
    for module in network.modules():
        # Activations of ordinary size all the way, and maps below the decoder's sight.
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.out_channels in (NUM_PAFS, NUM_HEATMAPS):
                module.weight.data.mul_(1e-3)
    note = "The weights are drawn at random: only the times mean something."
    return LoadedWeights(network, PREPROCESSINGS["imagenet"], card, (note,), f"{name}-2", name)


@dataclass(frozen=True)
class Photo:
    """A photo file, and what the network sees of it: RGB uint8 (H, W, 3) on a grid."""

    path: Path
    picture: np.ndarray
    grid: Grid


def find_photos(folder: str | None, limit: int, weights: LoadedWeights) -> list[Photo]:
    """At most `limit` photos, spread over the folder; by default the bundled examples.

    Raises:
        UserError: the folder holds none.
    """
    files = [p for p in find_files([folder or EXAMPLES_DIR]) if not is_video(p)]
    step = max(1, len(files) // limit)
    photos = []
    for path in files[::step][:limit]:
        picture, grid = fit(load_image(path), SIDE, weights.preprocessing.border())
        photos.append(Photo(path, picture, grid))
    return photos


class Plain:
    """The plain path: eager PyTorch in fp32, one photo at a time, and the plain decoder.

    Attributes:
        decode: the decoder of tests/plain_path.py; None outside a checkout.
    """

    def __init__(self, weights: LoadedWeights) -> None:
        # A copy in PyTorch's default memory format, whatever engines do to the original.
        self.network = copy.deepcopy(weights.network).to(memory_format=torch.contiguous_format)
        self.preprocessing = weights.preprocessing
        self.decode = plain_decoder()

    @torch.inference_mode()
    def maps(self, photo: Photo) -> FieldMaps:
        """The network's maps of a photo."""
        images = torch.from_numpy(np.ascontiguousarray(photo.picture[None]))
        stage = self.network(self.preprocessing(images).contiguous())[-1]
        return FieldMaps(stage.heatmaps[0].numpy(), stage.pafs[0].numpy(), photo.grid)

    def people(self, path: Path) -> list:
        """From a file to people."""
        picture, grid = fit(load_image(path), SIDE, self.preprocessing.border())
        return self.decode(self.maps(Photo(path, picture, grid)))


def plain_decoder() -> Callable[[FieldMaps], list] | None:
    """The plain decoder of a checkout's tests, None where there are none."""
    if not PLAIN_PATH.is_file():
        return None
    spec = importlib.util.spec_from_file_location("plain_path", PLAIN_PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.plain_decode


def mosaic(photos: list[Photo]) -> Photo:
    """Nine photos of many people in one picture, three by three; the last repeat if too few."""
    tiles = []
    for i in range(9):
        picture = photos[i % len(photos)].picture
        square = np.zeros((SIDE, SIDE, 3), np.uint8)
        part = picture[:SIDE, :SIDE]
        square[: part.shape[0], : part.shape[1]] = part
        tiles.append(square)
    rows = [np.concatenate(tiles[i : i + 3], axis=1) for i in (0, 3, 6)]
    picture = np.concatenate(rows)
    return Photo(Path("mosaic"), picture, Grid(8.0, 8.0, picture.shape[:2]))
