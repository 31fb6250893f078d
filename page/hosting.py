"""Running as a Space on ZeroGPU, where the accelerator is lent for one function call."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

ZERO_GPU = bool(os.environ.get("SPACES_ZERO_GPU"))
"""Set by the host on ZeroGPU hardware only."""

GPU_SECONDS = 60


def on_gpu(function: Callable[P, R]) -> Callable[P, R]:
    """On ZeroGPU the function gets the accelerator while it runs; elsewhere it is unchanged."""
    if not ZERO_GPU:
        return function
    try:
        import spaces
    except ImportError:
        return function
    return spaces.GPU(duration=GPU_SECONDS)(function)
