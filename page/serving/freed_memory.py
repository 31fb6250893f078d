"""Hands the memory of large photos back to the system."""

from __future__ import annotations

import ctypes
import sys

M_MMAP_THRESHOLD = -3
"""From glibc's malloc.h."""

MAPPED_BYTES = 1 << 20
"""Blocks from this size on are mapped, and so returned as soon as they are freed."""


def return_freed_memory() -> None:
    """Fixes the size from which glibc maps memory; does nothing where there is no glibc.

    By itself glibc raises it to 32 MB when blocks of that size are freed. Pictures then leave holes
    in heaps that Gradio's many threads share: 230 MB after one photo of 12 megapixels.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES)
