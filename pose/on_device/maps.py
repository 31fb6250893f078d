"""Maps that stay on the device until somebody reads them."""

from __future__ import annotations

import threading
import weakref
from functools import cached_property

import numpy as np

from pose.engines.base import MapArrays
from pose.geometry import Grid
from pose.networks.base import StageMaps
from pose.on_device.transfer import download
from pose.results import FieldMaps

HELD_BYTES = 256 * 2**20
"""Unread maps an estimator leaves on the device; beyond it the oldest come to the host."""


class HeldMaps:
    """One stage's maps of photos that ran together, on the device until they are read.

    Args:
        maps: float32 PAFs (N, 38, h, w) and heatmaps (N, 19, h, w).
    """

    def __init__(self, maps: StageMaps) -> None:
        self._maps: StageMaps | None = maps
        self._arrays: MapArrays | None = None
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes held on the device."""
        maps = self._maps
        return 0 if maps is None else sum(m.numel() * m.element_size() for m in maps)

    def arrays(self) -> MapArrays:
        """The maps on the host, fetched on the first call; the device's memory is then free."""
        with self._lock:
            if self._arrays is None:
                self._arrays = MapArrays(*download(self._maps))
                self._maps = None
            return self._arrays


class DeviceMaps(FieldMaps):
    """`FieldMaps` of one photo whose arrays are fetched from the device when they are read."""

    @classmethod
    def of(cls, held: HeldMaps, index: int, grid: Grid) -> DeviceMaps:
        """The maps of the photo at `index` of those that ran together."""
        maps = cls.__new__(cls)
        maps.__dict__.update(grid=grid, _held=held, _index=index)
        return maps

    # What a cached_property finds goes past the frozen dataclass, straight into __dict__; an
    # instance made by `dataclasses.replace` has its arrays there from the start.
    @cached_property
    def heatmaps(self) -> np.ndarray:
        return self._held.arrays().heatmaps[self._index]

    @cached_property
    def pafs(self) -> np.ndarray:
        return self._held.arrays().pafs[self._index]

    def __reduce__(self) -> tuple:
        return FieldMaps, (self.heatmaps, self.pafs, self.grid)


class Shelf:
    """Bounds what unread maps hold on the device, however many results a program keeps."""

    def __init__(self, limit: int = HELD_BYTES) -> None:
        self._limit = limit
        self._line: list[weakref.ref[HeldMaps]] = []
        self._lock = threading.Lock()

    def put(self, held: HeldMaps) -> None:
        """Remembers maps; if there are too many, the oldest are fetched."""
        with self._lock:
            self._line.append(weakref.ref(held))
            self._fetch_beyond(self._limit)

    def clear(self) -> None:
        """Fetches all, to free the device's memory."""
        with self._lock:
            self._fetch_beyond(0)

    def _fetch_beyond(self, limit: int) -> None:
        alive = [held for ref in self._line if (held := ref()) is not None and held.size]
        excess = sum(held.size for held in alive) - limit
        while alive and excess > 0:
            oldest = alive.pop(0)
            excess -= oldest.size
            oldest.arrays()
        self._line = [weakref.ref(held) for held in alive]
