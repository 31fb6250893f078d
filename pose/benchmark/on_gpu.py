"""The GPU's tables: the network in batches, and a folder. A training step: train.benchmark."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter

import numpy as np
import torch

from pose.benchmark.subjects import SIDE, Photo
from pose.benchmark.timing import Row, alternated
from pose.engines.pytorch import DTYPES
from pose.estimator import PoseEstimator
from pose.weights import LoadedWeights

BATCH = 16
REPEATS = 10
"""Batches between two looks at the clock: a GPU works behind the program's back."""


def measure_network(
    weights: LoadedWeights, device: torch.device, rounds: int, compiling: bool = False
) -> list[Row]:
    """Images a second at 368x368 in batches of 16, maps left on the GPU.

    Args:
        compiling: also torch.compile, which takes minutes.
    """
    table = f"Network on the GPU, {weights.network.name}, {SIDE}x{SIDE}, batch {BATCH}"
    inputs = torch.rand(BATCH, 3, SIDE, SIDE, device=device)
    cases: dict[str, Callable[[int], object]] = {}
    network = weights.network.to(device).eval()
    for precision in ("fp32", "bf16", "fp16"):
        for layout in (torch.contiguous_format, torch.channels_last):
            title = f"{precision}{', channels_last' if layout is torch.channels_last else ''}"
            cases[title] = partial(repeated, forward(network, inputs, precision, layout))
    try:
        replay = captured(forward(network, inputs, "fp16", torch.channels_last))
        cases["fp16, channels_last, CUDA graph"] = partial(repeated, replay)
    except RuntimeError as error:
        print(f"no CUDA graph: {error}")
    if compiling:
        compiled = torch.compile(network, mode="max-autotune")
        step = forward(compiled, inputs, "fp16", torch.channels_last)
        cases["fp16, channels_last, torch.compile"] = partial(repeated, step)
    seconds = alternated(cases, rounds, warm=rounds)
    reference = median(seconds["fp32"])
    return [
        Row(
            table,
            title,
            BATCH * REPEATS / median(measured),
            "images/s",
            median(measured) / reference,
        )
        for title, measured in seconds.items()
    ]


def forward(
    network: torch.nn.Module, inputs: torch.Tensor, precision: str, layout: torch.memory_format
) -> Callable[[], object]:
    """A run of the network in a precision and a memory format."""

    @torch.inference_mode()
    def step() -> object:
        network.to(memory_format=layout)
        with torch.autocast("cuda", DTYPES[precision], enabled=precision != "fp32"):
            return network(inputs.contiguous(memory_format=layout))[-1]

    return step


def captured(step: Callable[[], object]) -> Callable[[], object]:
    """A CUDA graph of a run."""
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    # Autocast's cache of cast weights must not outlive the capture.
    with torch.autocast("cuda", torch.float16, cache_enabled=False), torch.cuda.graph(graph):
        step()
    return graph.replay


def repeated(step: Callable[[], object], number: int = 0) -> None:
    """Several runs, waited for."""
    for _ in range(REPEATS):
        step()
    torch.cuda.synchronize()


def measure_folder(estimator: PoseEstimator, photos: list[Photo], rounds: int = 3) -> list[Row]:
    """Photos a second of `stream`, against the engine alone on the same pictures in batches."""
    size = (SIDE, SIDE)
    pictures = [p.picture for p in photos if p.picture.shape[:2] == size] or [
        np.zeros((*size, 3), np.uint8)
    ]
    batch = np.stack([pictures[i % len(pictures)] for i in range(BATCH)])
    paths = [photos[i % len(photos)].path for i in range(max(256, len(photos)))]
    table = f"A folder of {len(paths)} photos on the GPU, preset fast"
    network, folder = [], []
    estimator.engine.run(batch)
    for _ in range(rounds):
        start = perf_counter()
        for _ in range(REPEATS):
            estimator.engine.run(batch)
        network.append(BATCH * REPEATS / (perf_counter() - start))
        start = perf_counter()
        for _ in estimator.stream(paths, preset="fast", batch_size=BATCH):
            pass
        folder.append(len(paths) / (perf_counter() - start))
    return [
        Row(table, "engine alone, maps copied back", median(network), "photos/s", 1.0),
        Row(table, "files to people", median(folder), "photos/s", median(folder) / median(network)),
    ]
