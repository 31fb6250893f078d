"""Running out of a device's memory: how its errors are known, and what is said about it."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from pose.errors import display

TEXTS = (
    "out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    # cuDNN, where no way of doing a convolution finds the room it needs; the older one last.
    "unable to find an engine to execute this computation",
    "Unable to find a valid cuDNN algorithm to run convolution",
)
"""Parts of messages. GPUs that cuDNN does not support give its two as well."""

HALVED = "The device ran out of memory: the input size was halved to"
TOO_LITTLE = "the device has too little memory even for a small photo"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that the device's memory was too small."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in TEXTS)


def first_line(error: BaseException) -> str:
    """What an error says, fit to be quoted in a message of one line."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return display(lines[0], 160)


def halving_note(short_sides: Sequence[int]) -> str:
    """What a result says that was got at a smaller size than asked for."""
    return f"{HALVED} {tuple(short_sides)}."


def was_short_of_memory(told: str) -> bool:
    """Whether a result's note, or the reason why there is none, is that memory ran out."""
    return HALVED in told or TOO_LITTLE in told
