"""Running out of a device's memory: which errors mean it."""

from __future__ import annotations

import torch

from pose.errors import display

TEXTS = (
    "out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    # cuDNN, where no convolution algorithm fits into memory; the older message last.
    "unable to find an engine to execute this computation",
    "Unable to find a valid cuDNN algorithm to run convolution",
)
"""Parts of messages. GPUs that cuDNN does not support give its two as well."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that the device's memory was too small."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in TEXTS)


def first_line(error: BaseException) -> str:
    """What an error says, fit to be quoted in a message of one line."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return display(lines[0], 160)
