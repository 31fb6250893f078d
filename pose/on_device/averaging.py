"""As `pose.averaging`, for several photos at once, on the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from pose.averaging import finest_view, mirror_grid, reading
from pose.geometry import Grid
from pose.networks.base import StageMaps
from pose.on_device.transfer import upload
from pose.skeleton import HEATMAP_FLIP, PAF_FLIP


@dataclass(frozen=True)
class DeviceView:
    """One view's maps of photos whose views have the same sizes.

    Attributes:
        maps: float32 PAFs (N, 38, h, w) and heatmaps (N, 19, h, w) on the device.
        grids: where the cells lie on each photo.
    """

    maps: StageMaps
    grids: tuple[Grid, ...]


@torch.inference_mode()
def mirror_view(view: DeviceView) -> DeviceView:
    """The maps of mirrored photos as maps of the photos themselves; see `mirror_maps`."""
    device = view.maps.pafs.device
    heatmaps = view.maps.heatmaps[:, upload(HEATMAP_FLIP, device)].flip(-1)
    pafs = view.maps.pafs[:, upload(PAF_FLIP, device)].flip(-1)
    pafs[:, ::2] *= -1
    return DeviceView(StageMaps(pafs, heatmaps), tuple(mirror_grid(grid) for grid in view.grids))


@torch.inference_mode()
def average_views(views: Sequence[DeviceView]) -> DeviceView:
    """The mean of the views on the grids of the finest one; see `average_maps`.

    The same view is the finest of every photo.
    """
    if len(views) == 1:
        return views[0]
    finest = views[finest_view([view.grids[0] for view in views])]
    targets = tuple(replace(grid, shift_x=0.0, shift_y=0.0) for grid in finest.grids)
    shape = tuple(finest.maps.heatmaps.shape[-2:])
    total: list[torch.Tensor] | None = None
    for view in views:
        read = read_at(view, targets, shape)
        total = read if total is None else [a + b for a, b in zip(total, read, strict=True)]
    return DeviceView(StageMaps(*(maps / len(views) for maps in total)), targets)


def read_at(
    view: DeviceView, targets: Sequence[Grid], shape: tuple[int, int]
) -> list[torch.Tensor]:
    """A view's PAFs and heatmaps, read at the cells of other grids: (N, C, *shape)."""
    size = tuple(view.maps.pafs.shape[-2:])
    pairs = [reading(g, t, size, shape) for g, t in zip(view.grids, targets, strict=True)]
    device = view.maps.pafs.device
    rows, columns = (upload(np.stack(part)[:, None], device) for part in zip(*pairs, strict=True))
    return [rows @ planes @ columns.mT for planes in view.maps]
