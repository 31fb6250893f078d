"""A few estimators kept in memory, the least recently used dropped first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

DEFAULT_SIZE = 2
"""Enough for comparing two checkpoints side by side."""


@dataclass(frozen=True)
class EstimatorKey:
    """What an estimator is loaded from; a file that has changed since makes another key.

    Attributes:
        source: name in the catalogue, or path of a visitor's file.
        path: the file, None where it is not on this machine.
        changed: the file's time of change in nanoseconds, 0 if unknown.
        preprocessing: overrules the checkpoint's own.
        owner: key of the visitor's weights, "" for the catalogue's.
    """

    source: str
    path: Path | None = None
    changed: int = 0
    preprocessing: str | None = None
    owner: str = ""


class EstimatorCache(Generic[K, T]):
    """Keeps the values of a factory; safe to call from many threads, which load one at a time.

    Room is made before a value is made, so that at most `max_size` exist at once besides those
    that a caller still holds. The factory's exceptions reach the caller and nothing is kept.
    """

    def __init__(self, factory: Callable[[K], T], max_size: int = DEFAULT_SIZE) -> None:
        self.max_size = max_size
        self._factory = factory
        self._values: OrderedDict[K, T] = OrderedDict()
        self._lock = threading.RLock()

    def get(self, key: K) -> T:
        """The value of a key, made now if it is not kept."""
        with self._lock:
            if key not in self._values:
                while len(self._values) >= self.max_size:
                    self._values.popitem(last=False)
                self._values[key] = self._factory(key)
            self._values.move_to_end(key)
            return self._values[key]

    def drop(self, key: K) -> None:
        """Forgets a key; unknown keys are ignored."""
        with self._lock:
            self._values.pop(key, None)

    @property
    def kept(self) -> dict[K, T]:
        """What is kept, least recently used first."""
        with self._lock:
            return dict(self._values)
