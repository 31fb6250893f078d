"""An opened weights file, and the refusals that all containers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from pose.errors import UserError, display
from pose.weights.formats import Shape


@dataclass(frozen=True)
class CheckpointFile:
    """An opened weights file.

    Attributes:
        path: the file.
        shapes: key → shape of every tensor; keys of nested dictionaries are joined by dots.
        metadata: texts about the weights, empty where the container has none.
        read: loads one tensor by its key.
    """

    path: Path
    shapes: Mapping[str, Shape]
    metadata: Mapping[str, str]
    read: Callable[[str], torch.Tensor]


def checked_floats(tensor: torch.Tensor, key: str, path: Path) -> torch.Tensor:
    """The tensor, if it holds plain floating point numbers in main memory."""
    if not tensor.is_floating_point():
        raise not_floats(path, key, str(tensor.dtype).removeprefix("torch."))
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
        raise not_floats(path, key, f"{tensor.layout} on {tensor.device}")
    return tensor.detach()


def damaged(path: Path, error: Exception, what: str = "content") -> UserError:
    words = " ".join(str(error).split())[:120] or type(error).__name__
    return UserError(
        f"{path} is damaged or cut off, its {what} cannot be read ({words}); "
        "download or copy it again"
    )


def not_floats(path: Path, key: str, kind: str) -> UserError:
    return UserError(
        f"{path} keeps {display(key)} as {kind}, not as floating point numbers; save the weights "
        "as float32 or float16"
    )
