"""Several processes that share the work, started by torchrun or accelerate launch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

T = TypeVar("T")

PATIENCE = timedelta(hours=24)
"""How long a process waits for one that has a larger share."""


@dataclass(frozen=True)
class Ranks:
    """This process among those of a run.

    Attributes:
        rank: its number from 0; the first one writes.
        count: how many there are.
        local: its number on this machine, which is the number of its GPU.
    """

    rank: int = 0
    count: int = 1
    local: int = 0

    @property
    def first(self) -> bool:
        return self.rank == 0

    def has(self, place: int) -> bool:
        """Whether something at this place is this process's to do."""
        return place % self.count == self.rank

    def device(self, named: str) -> str:
        """The GPU of this process where a GPU is meant without a number."""
        import torch

        if self.count > 1 and named in ("auto", "cuda") and torch.cuda.is_available():
            return f"cuda:{self.local % torch.cuda.device_count()}"
        return named

    def wait(self) -> None:
        """Goes on once all processes have come here."""
        if self.count > 1:
            from torch import distributed

            distributed.barrier()

    def gathered(self, values: list[T]) -> list[T]:
        """The values of all processes, one process after the other; in the first one, else []."""
        if self.count == 1:
            return values
        from torch import distributed

        parts: list = [None] * self.count if self.first else []
        distributed.gather_object(values, parts if self.first else None)
        return [value for part in parts for value in part]


@contextmanager
def joined_ranks() -> Iterator[Ranks]:
    """This process as its launcher's environment says; connected while the context is open."""
    ranks = Ranks(
        int(os.environ.get("RANK", 0)),
        int(os.environ.get("WORLD_SIZE", 1)),
        int(os.environ.get("LOCAL_RANK", 0)),
    )
    if ranks.count == 1:
        yield Ranks()
        return
    from torch import distributed

    # People are few and live in main memory: no need for the GPUs' own library.
    distributed.init_process_group("gloo", timeout=PATIENCE)
    try:
        yield ranks
    finally:
        distributed.destroy_process_group()
