"""Ctrl-C and SIGTERM as a wish to end the training, not as an accident."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any


class Interruption:
    """Notes that the user or the cluster wants the training to end.

    Attributes:
        wanted: whether it has been asked for.
    """

    def __init__(self) -> None:
        self.wanted = False
        self._first = 0.0

    @contextlib.contextmanager
    def catching(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM set `wanted`; a later Ctrl-C interrupts at once.

        Launchers pass a Ctrl-C on, so that it may come twice in a moment.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {s: signal.signal(s, self._note) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, _: Any) -> None:
        self._first = self._first or time.monotonic()
        self.wanted = True
        if number == signal.SIGINT and time.monotonic() - self._first > 2:
            raise KeyboardInterrupt
