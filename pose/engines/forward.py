"""The forward pass: batches of photos through an engine, averaged over scales and mirror images."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch

from pose.decoding.field_maps import FieldMaps, average_maps, mirror_maps, without_padding
from pose.engines.base import Engine
from pose.engines.inputs import NetworkInput
from pose.engines.out_of_memory import first_line, is_out_of_memory
from pose.errors import UserError


class OutOfMemory(UserError):
    """A single photo does not fit into the device's memory."""


@dataclass(frozen=True)
class NetworkOutput:
    """The averaged maps of a photo, stage by stage, and the network's time for it."""

    stages: tuple[FieldMaps, ...]
    seconds: float


class ForwardPass:
    """Runs an engine over photos; on CUDA those of one size run together.

    On the CPU a batch would gain nothing, so photos run one after the other.

    Attributes:
        runs: forward passes so far; a batch counts once.
    """

    def __init__(self, engine: Engine, device: torch.device) -> None:
        self.engine = engine
        self.device = device
        self.runs = 0

    def __call__(self, inputs: Sequence[NetworkInput], stages: bool = False) -> list[NetworkOutput]:
        """The averaged maps of each photo: the last stage's, or every stage's.

        Raises:
            OutOfMemory: not even a single photo fits into the device's memory.
        """
        outputs: dict[int, NetworkOutput] = {}
        for members in self.groups(inputs):
            batch = self._fitting([inputs[i] for i in members], stages)
            outputs.update(zip(members, batch, strict=True))
        return [outputs[i] for i in range(len(inputs))]

    def groups(self, inputs: Sequence[NetworkInput]) -> list[list[int]]:
        """Indices of the photos that run together."""
        if self.device.type == "cpu":
            return [[i] for i in range(len(inputs))]
        groups: dict[tuple, list[int]] = {}
        for i, one in enumerate(inputs):
            shapes = tuple(picture.shape for picture, _ in one.scales)
            groups.setdefault((shapes, one.flip), []).append(i)
        return list(groups.values())

    def _fitting(self, inputs: Sequence[NetworkInput], stages: bool) -> list[NetworkOutput]:
        """The outputs of photos of one size; out of memory, of half as many at a time."""
        start = perf_counter()
        try:
            maps = self._run(inputs, stages)
            seconds = (perf_counter() - start) / len(inputs)
            return [NetworkOutput(of_photo, seconds) for of_photo in maps]
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            reason = first_line(error)
        # Outside of the handler, where the failed maps are no longer held by the error.
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        half = len(inputs) // 2
        if not half:
            raise OutOfMemory(
                "the device has too little memory for this photo: choose --device cpu or the preset"
                f" fast (the device said: {reason})"
            )
        warnings.warn(f"out of memory: trying again with {half} photos at a time", stacklevel=3)
        return [*self._fitting(inputs[:half], stages), *self._fitting(inputs[half:], stages)]

    def _run(self, inputs: Sequence[NetworkInput], stages: bool) -> list[tuple[FieldMaps, ...]]:
        """Every scale of the photos, mirrored too if asked for, averaged: photo → stages."""
        passes: list[list[list[FieldMaps]]] = []  # forward pass, photo, stage
        for scale in range(len(inputs[0].scales)):
            pictures = np.stack([one.scales[scale][0] for one in inputs])
            grids = [one.scales[scale][1] for one in inputs]
            for mirrored in (False, True) if inputs[0].flip else (False,):
                self.runs += 1
                found = self.engine.run(pictures[:, :, ::-1] if mirrored else pictures, stages)
                maps = [
                    [FieldMaps(stage.heatmaps[i], stage.pafs[i], grid) for stage in found]
                    for i, grid in enumerate(grids)
                ]
                if mirrored:
                    maps = [[mirror_maps(stage) for stage in photo] for photo in maps]
                passes.append([[without_padding(stage) for stage in photo] for photo in maps])
        return [
            tuple(average_maps(of_stage) for of_stage in zip(*of_photo, strict=True))
            for of_photo in zip(*passes, strict=True)
        ]
