"""Makes the C library give memory back, so that many visitors do not make the server grow."""

from __future__ import annotations

import ctypes
import sys

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""From glibc's malloc.h."""

ARENAS = 2
LARGE = 4 << 20
"""Bytes from which a block is the system's own and goes back to it when it is freed."""


def bound_memory() -> None:
    """Few arenas and a fixed threshold for large blocks; elsewhere than under glibc nothing.

    By default each of Gradio's forty threads may keep an arena of its own, with holes as large as
    a photo's arrays.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)
        mallopt(M_MMAP_THRESHOLD, LARGE)
