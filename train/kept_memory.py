"""Keeps the memory of a training step for the next one."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""From glibc's malloc.h."""

NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Tells glibc not to hand freed memory back; does nothing where there is no glibc.

    By itself it maps every tensor above 32 MB anew, and the system clears the pages each time: a
    third of the time of a step on a CPU.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, NEVER)
