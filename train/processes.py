"""The processes that train together, and the device of this one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import torch

from pose.errors import UserError
from train.settings import TrainSettings


class ToldElsewhere(UserError):
    """A mistake that the main process tells the user."""


def make_accelerator(settings: TrainSettings) -> Any:
    """Accelerate's view of the devices and processes.

    Raises:
        UserError: the device or the precision is not to be had.
    """
    from accelerate import Accelerator, InitProcessGroupKwargs

    if settings.device == "cuda" and not torch.cuda.is_available():
        raise UserError("There is no CUDA device here; use --device cpu or auto.")
    cpu = settings.device == "cpu" or not torch.cuda.is_available()
    if cpu and settings.precision == "fp16":
        raise UserError("fp16 needs a GPU; use --precision bf16 or no.")
    if settings.precision == "bf16" and half_precision(cpu) != "bf16":
        raise UserError("This GPU only emulates bf16, slowly; use --precision fp16.")
    try:
        # The other processes wait for a validation that the first one does.
        patience = InitProcessGroupKwargs(timeout=timedelta(hours=3))
        return Accelerator(mixed_precision=settings.precision, cpu=cpu, kwargs_handlers=[patience])
    except ValueError as error:
        raise UserError(f"Accelerate refuses these options: {error}") from None


def half_precision(cpu: bool) -> str:
    """The mixed precision that the device computes in itself; bf16 wherever it can."""
    # Without the argument, emulation as on a T4 or V100 counts as support.
    return "bf16" if cpu or torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"


def in_step(accelerator: Any, work: Callable[[], Any]) -> Any:
    """Runs the main process's `work`; its UserError is raised by every process.

    Without this the others would wait forever for a process that has stopped.
    """
    result, message = None, ""
    if accelerator.is_main_process:
        try:
            result = work()
        except UserError as error:
            message = str(error)
    if accelerator.num_processes > 1:
        message = "".join(gathered([message]))
    if message:
        raise UserError(message) if accelerator.is_main_process else ToldElsewhere(message)
    return result


def gathered(values: list) -> list:
    """All processes' values, one after the other."""
    from accelerate.utils import gather_object

    return gather_object(values)


def memory_in_use(device: torch.device) -> float:
    """Peak gigabytes on the GPU, or of this process on the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
