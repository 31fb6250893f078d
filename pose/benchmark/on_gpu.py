"""The GPU's tables: network in batches, decoder, a folder. A training step: train.benchmark.

All but CUDA graphs runs on the CPU as well, where it only shows that it runs.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
import torch

from pose.benchmark.subjects import SIDE, Photo
from pose.benchmark.timing import Row, alternated, ratio
from pose.decode import DecodeSettings, decode, people_of
from pose.engines.pytorch import DTYPES
from pose.estimator import PoseEstimator
from pose.geometry import Grid
from pose.networks.base import StageMaps
from pose.on_device.averaging import DeviceView
from pose.on_device.candidates import find_candidates
from pose.on_device.transfer import download
from pose.results import FieldMaps
from pose.weights import LoadedWeights

BATCH = 16
REPEATS = 10
"""Batches between two looks at the clock: a GPU works behind the program's back."""

LAYOUTS = {"": torch.contiguous_format, ", channels_last": torch.channels_last}


def measure_network(
    weights: LoadedWeights,
    device: torch.device,
    rounds: int,
    compiling: bool = False,
    batch: int = BATCH,
    side: int = SIDE,
) -> list[Row]:
    """Images a second in batches, by default 16 at 368x368, maps left on the device.

    Args:
        compiling: also torch.compile, which takes minutes.
    """
    table = f"Network on the GPU, {weights.network.name}, {side}x{side}, batch {batch}"
    inputs = torch.rand(batch, 3, side, side, device=device)
    cases: dict[str, Callable[[int], object]] = {}
    # A network for each layout: changing one's would be timed, and pull the weights away from
    # under a CUDA graph.
    networks = {
        layout: copy.deepcopy(weights.network).to(device, memory_format=layout).eval()
        for layout in LAYOUTS.values()
    }
    for precision in ("fp32", "bf16", "fp16"):
        for name, layout in LAYOUTS.items():
            step = forward(networks[layout], inputs, precision, layout)
            cases[precision + name] = partial(repeated, step, device)
    best = partial(forward, inputs=inputs, precision="fp16", layout=torch.channels_last)
    if device.type == "cuda":
        try:
            replay = captured(best(networks[torch.channels_last]))
            cases["fp16, channels_last, CUDA graph"] = partial(repeated, replay, device)
        except RuntimeError as error:
            print(f"no CUDA graph: {error}")
    if compiling:
        compiled = torch.compile(networks[torch.channels_last], mode="max-autotune")
        cases["fp16, channels_last, torch.compile"] = partial(repeated, best(compiled), device)
    seconds = alternated(cases, rounds, warm=rounds)
    return [
        Row(
            table,
            title,
            batch * REPEATS / median(measured),
            "images/s",
            ratio(measured, seconds["fp32"]),
        )
        for title, measured in seconds.items()
    ]


def forward(
    network: torch.nn.Module, inputs: torch.Tensor, precision: str, layout: torch.memory_format
) -> Callable[[], object]:
    """A run of a network that is in a memory format, in a precision."""
    inputs = inputs.contiguous(memory_format=layout)

    @torch.inference_mode()
    def step() -> object:
        with torch.autocast(inputs.device.type, DTYPES[precision], enabled=precision != "fp32"):
            return network(inputs)[-1]

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


def repeated(step: Callable[[], object], device: torch.device, number: int = 0) -> None:
    """Several runs, waited for."""
    for _ in range(REPEATS):
        step()
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def measure_decoder(
    estimator: PoseEstimator, photos: list[Photo], rounds: int, batch: int = BATCH
) -> list[Row]:
    """From a batch's maps on the device to people: found there, or on the host after a copy."""
    pictures, grids = square_batch(photos, batch)
    (stage,) = estimator.engine.run_on_device(pictures)
    view = DeviceView(stage, grids)
    settings = DecodeSettings()
    cases = {
        "all maps copied back, people found by NumPy": lambda number: on_host(stage, grids),
        "the copies alone": lambda number: download(list(stage)),
        "peaks and limbs found on the device": lambda number: [
            people_of(found, grid, settings)
            for found, grid in zip(find_candidates(view, settings), grids, strict=True)
        ],
    }
    seconds = alternated(cases, rounds, warm=min(rounds, 3))
    reference = next(iter(seconds.values()))
    table = f"Decoder on the GPU, {estimator.weights.network.name}, {SIDE}x{SIDE}, batch {batch}"
    return [
        Row(table, title, 1e3 * median(measured) / batch, "ms/photo", ratio(measured, reference))
        for title, measured in seconds.items()
    ]


def on_host(stage: StageMaps, grids: tuple[Grid, ...]) -> list[tuple]:
    """The people of each photo, its maps copied to the host first."""
    pafs, heatmaps = download(list(stage))
    return [decode(FieldMaps(h, p, g)) for h, p, g in zip(heatmaps, pafs, grids, strict=True)]


def square_batch(photos: list[Photo], batch: int) -> tuple[np.ndarray, tuple[Grid, ...]]:
    """The square ones among the photos, repeated to a batch, or grey pictures if there are none."""
    grey = np.full((SIDE, SIDE, 3), 128, np.uint8)
    found = [(p.picture, p.grid) for p in photos if p.picture.shape == grey.shape]
    found = found or [(grey, Grid(8.0, 8.0, (SIDE, SIDE)))]
    chosen = [found[i % len(found)] for i in range(batch)]
    return np.stack([picture for picture, _ in chosen]), tuple(grid for _, grid in chosen)


def measure_folder(
    estimator: PoseEstimator,
    photos: list[Photo],
    rounds: int = 3,
    batch: int = BATCH,
    number: int = 256,
) -> list[Row]:
    """Photos a second of `stream` over at least `number` paths, against the engine alone.

    The engine runs on pictures that are at hand, in batches.
    """
    pictures, _ = square_batch(photos, batch)
    paths = [photos[i % len(photos)].path for i in range(max(number, len(photos)))]
    table = f"A folder of {len(paths)} photos on the GPU, preset fast"
    usual = estimator.decode_on_device

    def files(number: int, on_device: bool) -> None:
        estimator.decode_on_device = on_device
        for _ in estimator.stream(paths, preset="fast", batch_size=batch):
            pass

    def engine(number: int) -> None:
        for _ in range(REPEATS):
            estimator.engine.run(pictures)

    cases = {
        "engine alone, maps copied back": engine,
        "files to people": partial(files, on_device=True),
        "files to people, all maps copied back": partial(files, on_device=False),
    }
    shown = dict.fromkeys(cases, len(paths)) | {"engine alone, maps copied back": batch * REPEATS}
    try:
        seconds = alternated(cases, rounds)
    finally:
        estimator.decode_on_device = usual
    speeds = {name: shown[name] / median(measured) for name, measured in seconds.items()}
    reference = next(iter(speeds.values()))
    return [Row(table, name, v, "photos/s", v / reference) for name, v in speeds.items()]
