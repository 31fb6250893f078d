"""What the host's environment says: the port, and ZeroGPU, which lends a GPU for one function call.

Import this before Gradio, which reads the port's variable at its import and ends in a traceback if
it holds no number, and before torch: on ZeroGPU the package `spaces` has to come first.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

GIVEN_PORT = os.environ.pop("GRADIO_SERVER_PORT", "")

try:
    # The host sets the variable on ZeroGPU hardware only; elsewhere the package is not wanted.
    if not os.environ.get("SPACES_ZERO_GPU"):
        raise ImportError
    import spaces
except ImportError:
    spaces = None

ZERO_GPU = spaces is not None

GPU_SECONDS = 60
"""Longest loan of the accelerator for one photo."""


def on_gpu(function: Callable[P, R]) -> Callable[P, R]:
    """On ZeroGPU the function gets the accelerator while it runs; elsewhere it is unchanged.

    It then runs in another process, which was copied from this one: arguments and results have to
    be picklable, and changes it makes to anything else are lost.
    """
    return spaces.GPU(duration=GPU_SECONDS)(function) if ZERO_GPU else function
