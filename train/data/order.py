"""The order of training samples over epochs, and each process's share of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Draw:
    """One sample to make: its epoch, its place in the epoch's order, and which person it is of."""

    epoch: int
    position: int
    index: int


@dataclass(frozen=True)
class Order:
    """The order of samples: a permutation an epoch, filled up from its start to whole batches.

    Attributes:
        samples: how many there are.
        batch_size: samples of an optimiser step over all processes.
        seed: chooses the permutations.
    """

    samples: int
    batch_size: int
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.samples // self.batch_size)

    def epoch(self, epoch: int) -> list[list[Draw]]:
        """An epoch's batches."""
        permutation = np.random.default_rng((self.seed, 2, epoch)).permutation(self.samples)
        total = self.steps_per_epoch * self.batch_size
        draws = [Draw(epoch, i, int(permutation[i % self.samples])) for i in range(total)]
        size = self.batch_size
        return [draws[i : i + size] for i in range(0, total, size)]

    def batches(self, start: int, stop: int, rank: int, world: int) -> Iterator[list[Draw]]:
        """One process's shares of the steps `start` to `stop` (counted over all epochs)."""
        batches: list[list[Draw]] = []
        for step in range(start, stop):
            epoch, place = divmod(step, self.steps_per_epoch)
            if step == start or place == 0:
                batches = self.epoch(epoch)
            yield batches[place][rank::world]
