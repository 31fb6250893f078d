"""Several processes that share the work, started by torchrun or accelerate launch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accelerate import PartialState

PATIENCE = timedelta(hours=24)
"""How long a process waits for one that has a larger share."""


@contextmanager
def joined_processes() -> Iterator[PartialState]:
    """This process among those of its launcher, connected while the context is open."""
    from accelerate import PartialState

    # People are few and lie in main memory: the GPUs' own library is not needed to gather them.
    state = PartialState(cpu=True, timeout=PATIENCE)
    try:
        yield state
    finally:
        state.destroy_process_group()


def own_device(state: PartialState, named: str) -> str:
    """The GPU of this process where several share the work and none is named by number."""
    import torch

    if state.num_processes > 1 and named in ("auto", "cuda") and torch.cuda.is_available():
        return f"cuda:{state.local_process_index % torch.cuda.device_count()}"
    return named
