"""The tables of inference: engines, decoder, one photo, a folder, batches on a GPU."""

from __future__ import annotations

import copy
import math
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import TypeVar

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmark.plain import plain_decode
from benchmark.subjects import SIDE, Photo, Plain, mosaic
from benchmark.timing import Row, alternated, ratio, speeds, times
from pose.decoding.decode import decode
from pose.engines.base import Engine
from pose.engines.bf16 import map_error
from pose.engines.choice import make_engine
from pose.engines.device import cpu_has_bf16
from pose.engines.torch_engine import DTYPES
from pose.errors import UserError
from pose.estimator import PoseEstimator
from pose.networks.base import PoseNetwork
from pose.weights.load import LoadedWeights

T = TypeVar("T")

CPU = torch.device("cpu")

FEW_PEOPLE = 9
"""The decoder's table has one line for photos with at most so many people, and one for the rest."""

MATRIX_SIDE = 1024
MATRIX = f"fp32 matrix product, {MATRIX_SIDE}x{MATRIX_SIDE}"

BATCH = 16
REPEATS = 10
"""Batches per measurement: a GPU runs asynchronously, and waiting for it takes time."""

GPU_PHOTOS = 256
"""Paths in a folder on a GPU, at least: photos repeat, or it would be too short to measure."""


def over(items: Sequence[T], work: Callable[[T], object]) -> Callable[[int], object]:
    """A case that takes another item in each round."""
    return lambda number: work(items[number % len(items)])


def measure_engines(
    weights: LoadedWeights, photos: list[Photo], rounds: int, only: str = "auto"
) -> list[Row]:
    """Milliseconds per photo of each engine, against eager PyTorch in fp32.

    The notes compare each with the processor's rate in a matrix product, its practical limit.
    """
    table = f"Engines, {weights.network.name}, shorter side {SIDE}"
    plain = Plain(weights)
    rows: list[Row] = []
    engines: dict[str, Engine] = {}
    for name in ("torch", "openvino") if only == "auto" else (only,):
        for precision in ("fp32", "bf16"):
            title = f"{name} {precision}"
            try:
                if precision == "bf16" and not cpu_has_bf16():
                    raise UserError("this processor has no bf16")
                engines[title] = make_engine(weights, CPU, name, precision).engine
            except UserError as error:
                rows.append(Row(table, title, float("nan"), "ms", note=str(error)))

    pictures = [photo.picture[None] for photo in photos]
    left, right = torch.rand(2, MATRIX_SIDE, MATRIX_SIDE)
    cases: dict[str, Callable[[int], object]] = {
        "eager fp32": over(photos, plain.maps),
        **{title: over(pictures, engine.run) for title, engine in engines.items()},
        MATRIX: lambda number: left @ right,
    }
    # Some engines prepare for each new size of photo.
    seconds = alternated(cases, rounds, warm=min(rounds, len(photos)))
    matrix_rate = 2 * MATRIX_SIDE**3 / median(seconds.pop(MATRIX))
    rows.append(Row(table, MATRIX, matrix_rate / 1e9, "GFLOP/s"))
    per_pixel = flops_per_pixel(plain.network)
    flops = [per_pixel * photo.picture[..., 0].size for photo in photos]
    auto = make_engine(weights, CPU).engine
    for title, measured in seconds.items():
        rates = [flops[i % len(photos)] / second for i, second in enumerate(measured)]
        note = f"{median(rates) / matrix_rate:.0%} of the matrix product's rate"
        if title in engines:
            note += f"; {error_note(engines[title], plain, photos[:4])}"
        if title == f"{auto.name} {auto.precision}":
            note += "; **the choice of --engine auto**"
        compared = ratio(measured, seconds["eager fp32"])
        rows.append(Row(table, title, 1e3 * median(measured), "ms", compared, note))
    return rows


def error_note(engine: Engine, plain: Plain, photos: list[Photo]) -> str:
    """How far an engine's maps are from eager fp32."""
    errors = []
    for photo in photos:
        maps = plain.maps(photo)
        expected = [(maps.pafs[None], maps.heatmaps[None])]
        errors.append(map_error(engine.run(photo.picture[None]), expected))
    mean, largest = np.mean([e.mean for e in errors]), max(e.largest for e in errors)
    return f"error of the maps: mean {mean:.1e}, largest {largest:.1e}"


def flops_per_pixel(network: PoseNetwork) -> float:
    """Operations per input pixel; a multiplication and an addition are two."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, 64, 64))
    return counter.get_total_flops() / 64**2


def measure_decoder(weights: LoadedWeights, photos: list[Photo], rounds: int) -> list[Row]:
    """Milliseconds from maps to people, against the plain decoder."""
    table = f"Decoder, {weights.network.name}, shorter side {SIDE}"
    plain = Plain(weights)
    found = [plain.maps(photo) for photo in photos]
    counts = [len(decode(maps)) for maps in found]
    by_count = sorted(range(len(photos)), key=lambda i: -counts[i])
    crowd = plain.maps(mosaic([photos[i] for i in by_count[:9]]))
    numbered = list(zip(found, counts, strict=True))
    groups = {
        f"1 to {FEW_PEOPLE} people": [maps for maps, n in numbered if 1 <= n <= FEW_PEOPLE],
        "more people": [maps for maps, n in numbered if n > FEW_PEOPLE],
        f"3x3 mosaic, {len(decode(crowd))} people": [crowd],
    }
    rows: list[Row] = []
    for name, group in groups.items():
        if not group:
            continue
        cases = {f"plain, {name}": over(group, plain_decode), f"pose, {name}": over(group, decode)}
        rows += times(table, alternated(cases, max(rounds, len(group))))
    return rows


def measure_end_to_end(estimator: PoseEstimator, photos: list[Photo], rounds: int) -> list[Row]:
    """Milliseconds from a JPEG file to people, preset fast, against the network alone."""
    engine = estimator.engine
    cases = {
        f"network alone ({engine.name} {engine.precision})": over(
            [photo.picture[None] for photo in photos], engine.run
        ),
        "file to people": over([photo.path for photo in photos], estimator),
    }
    seconds = alternated(cases, rounds, warm=min(rounds, len(photos)))
    return times(f"One photo, {estimator.weights.network.name}, preset fast", seconds)


def measure_folder(estimator: PoseEstimator, photos: list[Photo], rounds: int = 3) -> list[Row]:
    """Photos per second over a folder, preset fast.

    On the CPU the reference is the plain path; a GPU's is the network alone, which must not wait
    for files and decoding.
    """
    on_gpu = estimator.device.type == "cuda"
    repeats = math.ceil(GPU_PHOTOS / len(photos)) if on_gpu else 1
    paths = [photo.path for photo in photos] * repeats
    inputs = [estimator.preprocess(photo.path) for photo in photos] * repeats
    batches = [inputs[i : i + BATCH] for i in range(0, len(inputs), BATCH)]
    plain = Plain(estimator.weights)
    cases: dict[str, Callable[[int], object]] = {
        "network alone": lambda number: [estimator.forward(batch) for batch in batches],
        "files to people": lambda number: deque(estimator.stream(paths, batch_size=BATCH), 1),
    }
    if not on_gpu:
        cases = {"plain path": lambda number: [plain.people(path) for path in paths], **cases}
    estimator.batch(paths[: len(photos)])  # the first run of each size takes longer
    device = "the GPU" if on_gpu else "the CPU"
    table = f"A folder of {len(paths)} photos on {device}, {estimator.weights.network.name}"
    return speeds(table, alternated(cases, rounds, warm=int(on_gpu)), len(paths), "photos")


def measure_batches(
    weights: LoadedWeights,
    device: torch.device,
    rounds: int,
    batch: int = BATCH,
    side: int = SIDE,
) -> list[Row]:
    """Images per second in batches, with the maps left on the device."""
    inputs = torch.rand(batch, 3, side, side, device=device)
    cases: dict[str, Callable[[int], object]] = {}
    for name, layout in {
        "": torch.contiguous_format,
        ", channels_last": torch.channels_last,
    }.items():
        # A network for each layout: converting one in between would be timed.
        network = copy.deepcopy(weights.network).to(device).to(memory_format=layout).eval()
        for precision in DTYPES:
            cases[precision + name] = partial(
                repeated, network, inputs.contiguous(memory_format=layout), precision
            )
    seconds = alternated(cases, rounds, warm=rounds)
    table = f"Network on the GPU, {weights.network.name}, {side}x{side}, batch {batch}"
    return speeds(table, seconds, batch * REPEATS, "images")


@torch.inference_mode()
def repeated(network: PoseNetwork, inputs: torch.Tensor, precision: str, number: int) -> None:
    """Several forward passes, waiting for the last."""
    with torch.autocast(inputs.device.type, DTYPES[precision], enabled=precision != "fp32"):
        for _ in range(REPEATS):
            network(inputs)
    if inputs.device.type == "cuda":
        torch.cuda.synchronize(inputs.device)
