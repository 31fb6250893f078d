"""What the network says about photos that run together: their views averaged, on host or device."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pose.averaging import average_maps, mirror_maps
from pose.decode import Candidates, DecodeSettings
from pose.engines import Engine
from pose.engines.pytorch import TorchEngine
from pose.geometry import Grid
from pose.on_device.averaging import DeviceView, average_views, mirror_view
from pose.on_device.candidates import find_candidates
from pose.on_device.maps import DeviceMaps, HeldMaps, Shelf
from pose.results import FieldMaps


@dataclass(frozen=True)
class Shown:
    """One view of each photo, as the network is shown it.

    Attributes:
        pictures: RGB uint8 (N, H, W, 3).
        grids: where the cells of the maps lie on each photo.
        mirrored: whether the pictures are mirrored.
    """

    pictures: np.ndarray
    grids: tuple[Grid, ...]
    mirrored: bool


@dataclass(frozen=True)
class Look:
    """What the network said about a photo: averaged maps of each stage, notes, and its time.

    Attributes:
        candidates: what was found in the last stage's maps, if that was done on the device.
    """

    stages: tuple[FieldMaps, ...]
    candidates: Candidates | None = None
    notes: tuple[str, ...] = ()
    seconds: float = 0.0


def look_on_host(engine: Engine, shown: Iterable[Shown], stages: bool) -> list[Look]:
    """A look at each photo, with the maps of the last stage or of all."""
    views: list[list[list[FieldMaps]]] = []  # view, photo, stage
    for view in shown:
        arrays = engine.run(view.pictures, stages)
        maps = [
            [FieldMaps(stage.heatmaps[i], stage.pafs[i], grid) for stage in arrays]
            for i, grid in enumerate(view.grids)
        ]
        views.append([[mirror_maps(m) for m in ms] for ms in maps] if view.mirrored else maps)
    return [
        Look(tuple(average_maps(of_stage) for of_stage in zip(*of_photo, strict=True)))
        for of_photo in zip(*views, strict=True)
    ]


def look_on_device(
    engine: TorchEngine,
    shown: Iterable[Shown],
    stages: bool,
    settings: DecodeSettings,
    shelf: Shelf,
) -> list[Look]:
    """As `look_on_host`, but only candidates come to the host; the maps when they are read."""
    views: list[list[DeviceView]] = []  # view, stage
    for view in shown:
        seen = [DeviceView(m, view.grids) for m in engine.run_on_device(view.pictures, stages)]
        views.append([mirror_view(v) for v in seen] if view.mirrored else seen)
    averaged = [average_views(of_stage) for of_stage in zip(*views, strict=True)]
    candidates = find_candidates(averaged[-1], settings)
    held = [HeldMaps(view.maps) for view in averaged]
    for maps in held:
        shelf.put(maps)
    return [
        Look(tuple(DeviceMaps.of(maps, i, grid) for maps in held), found)
        for i, (grid, found) in enumerate(zip(averaged[-1].grids, candidates, strict=True))
    ]
