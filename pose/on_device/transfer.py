"""Arrays to the device and back, by pinned memory and without waiting more than once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch


def upload(array: np.ndarray, device: torch.device) -> torch.Tensor:
    """The array on the device; on CUDA the copy goes on while the program does."""
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


@torch.inference_mode()
def download(tensors: Sequence[torch.Tensor]) -> list[np.ndarray]:
    """The tensors of one device as arrays, with one wait for all of them."""
    device = tensors[0].device
    if device.type != "cuda":
        return [tensor.contiguous().cpu().numpy() for tensor in tensors]
    waiting = [pinned_copy(tensor) for tensor in tensors]
    torch.cuda.current_stream(device).synchronize()
    return [tensor.numpy() for tensor in waiting]


def pinned_copy(tensor: torch.Tensor) -> torch.Tensor:
    """Starts the way back from the GPU; the values are there after the stream's next wait."""
    pinned = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return pinned.copy_(tensor.contiguous(), non_blocking=True)
