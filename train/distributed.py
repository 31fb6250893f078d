"""The processes of a training: their device, what they exchange, the signals that stop them."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import torch
from torch import nn

from pose.engines.memory import peak_memory_bytes
from pose.errors import UserError
from train.settings import TrainSettings


class ReportedElsewhere(UserError):
    """A user's mistake that the main process reports."""


def make_accelerator(settings: TrainSettings) -> Any:
    """Accelerate's view of the devices and processes.

    Raises:
        UserError: the device or the precision is not available.
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
        # The other processes wait while the main one validates.
        patience = InitProcessGroupKwargs(timeout=timedelta(hours=3))
        return Accelerator(mixed_precision=settings.precision, cpu=cpu, kwargs_handlers=[patience])
    except ValueError as error:
        raise UserError(f"Accelerate refuses these options: {error}") from None


def half_precision(cpu: bool) -> str:
    """The mixed precision that the device supports natively: bf16 where it can."""
    # Without the argument, emulation as on a T4 or V100 counts as support.
    return "bf16" if cpu or torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"


def in_step(accelerator: Any, work: Callable[[], Any]) -> Any:
    """Runs `work` in the main process only; every process raises its UserError.

    Otherwise the others would wait forever for a process that has stopped.

    Returns:
        What `work` returned, in the main process; None in the others.
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
        raise UserError(message) if accelerator.is_main_process else ReportedElsewhere(message)
    return result


def gathered(values: list) -> list:
    """All processes' values, one after the other."""
    from accelerate.utils import gather_object

    return gather_object(values)


def average_gradients(accelerator: Any, network: nn.Module) -> None:
    """The mean of all processes' gradients, in one transfer.

    DistributedDataParallel sends them during the backward pass. A process that runs out of memory
    there and tries again would leave the others waiting, or send some of them twice.
    """
    if accelerator.num_processes == 1:
        return
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    flat = accelerator.reduce(torch.cat([g.flatten() for g in gradients]), "mean")
    means = flat.split([g.numel() for g in gradients])
    for gradient, mean in zip(gradients, means, strict=True):
        gradient.copy_(mean.view_as(gradient))


def average_statistics(accelerator: Any, network: nn.Module, average: nn.Module) -> None:
    """The mean of all processes' batch-norm statistics, for a network and its moving average."""
    if accelerator.num_processes == 1:
        return
    for own, averaged in zip(network.buffers(), average.buffers(), strict=True):
        if own.is_floating_point():
            own.copy_(accelerator.reduce(own.clone(), "mean"))
            averaged.copy_(own)


def memory_in_use(device: torch.device) -> float:
    """Peak gigabytes on the GPU, or of this process on the CPU; 0 where they are unknown."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    try:
        return peak_memory_bytes() / 1e9
    except OSError:
        return 0.0


class Interruption:
    """Notes a request to end the training.

    Attributes:
        requested: whether Ctrl-C or SIGTERM came.
    """

    def __init__(self) -> None:
        self.requested = False
        self._first = 0.0

    @contextlib.contextmanager
    def catching(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM set `requested`; a later Ctrl-C interrupts at once.

        Launchers pass Ctrl-C on, so it may come twice in a moment.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {s: signal.signal(s, self._note) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note(self, number: int, _: Any) -> None:
        self._first = self._first or time.monotonic()
        self.requested = True
        if number == signal.SIGINT and time.monotonic() - self._first > 2:
            raise KeyboardInterrupt
