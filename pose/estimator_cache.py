"""A few estimators kept ready, so that many checkpoints do not fill the memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

DEFAULT_SIZE = 2
"""Enough for comparing two checkpoints side by side."""


class EstimatorCache(Generic[T]):
    """Keeps the values of a factory, at most `max_size`, the least recently used goes first.

    Safe to call from many threads. A key is made by one thread while others that want it wait;
    different keys are made side by side. Room is made before a value is made, so that at most
    `max_size` values exist at once, besides those that a caller still holds.
    """

    def __init__(self, factory: Callable[[str], T], max_size: int = DEFAULT_SIZE) -> None:
        """
        Args:
            factory: makes the value of a key; its exceptions reach the caller and nothing is kept.
            max_size: most values kept.

        Raises:
            ValueError: max_size is below 1.
        """
        if max_size < 1:
            raise ValueError(f"max_size must be at least 1, not {max_size}")
        self.max_size = max_size
        self._factory = factory
        self._values: OrderedDict[str, T] = OrderedDict()
        self._in_progress: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> T:
        """The value of a key, made now if it is not kept."""
        while True:
            with self._lock:
                if key in self._values:
                    self._values.move_to_end(key)
                    return self._values[key]
                making = self._in_progress.get(key)
                if making is None:
                    making = self._in_progress[key] = threading.Lock()
                    making.acquire()
                    self._make_room(len(self._in_progress))
                    break
            with making:  # another thread makes it; then look again
                pass
        try:
            value = self._factory(key)
            with self._lock:
                self._make_room(1)
                self._values[key] = value
            return value
        finally:
            with self._lock:
                del self._in_progress[key]
            making.release()

    __call__ = get

    def _make_room(self, wanted: int) -> None:
        while self._values and len(self._values) + wanted > self.max_size:
            self._values.popitem(last=False)

    def drop(self, key: str) -> None:
        """Forgets a key, for instance a file that was replaced; unknown keys are ignored."""
        with self._lock:
            self._values.pop(key, None)

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._values.clear()

    def __len__(self) -> int:
        with self._lock:
            return len(self._values)

    def __contains__(self, key: str) -> bool:
        with self._lock:
            return key in self._values

    @property
    def keys(self) -> tuple[str, ...]:
        """Kept keys, least recently used first."""
        with self._lock:
            return tuple(self._values)
