"""The CPU's tables: engines, decoder, end to end, a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from pose.benchmark.subjects import SIDE, Photo, Plain, mosaic
from pose.benchmark.timing import Row, alternated, ratio
from pose.decode import decode
from pose.engines import make_engine
from pose.engines.base import Engine
from pose.engines.bf16 import map_error
from pose.engines.device import cpu_has_bf16
from pose.errors import UserError
from pose.estimator import PoseEstimator
from pose.networks import PoseNetwork
from pose.presets import get_preset
from pose.weights import LoadedWeights

FEW_PEOPLE = 9
"""Photos with at most so many people make one line of the decoder's table."""

CPU = torch.device("cpu")

MATRIX_SIDE = 1024
MATRIX = f"fp32 product of matrices, side {MATRIX_SIDE}"


def operations_a_pixel(network: PoseNetwork) -> float:
    """Of an input's pixel; a multiplication and an addition are two operations."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, 64, 64))
    return counter.get_total_flops() / 64**2


def every_engine(weights: LoadedWeights, only: str | None) -> Iterator[tuple[str, Engine | str]]:
    """Names and engines that run here; instead of an engine, why it does not."""
    for name, precision in (
        ("torch", "fp32"),
        ("torch", "bf16"),
        ("onnxruntime", "fp32"),
        ("openvino", "fp32"),
        ("openvino", "bf16"),
    ):
        title = f"{name} {precision}"
        if only not in (None, "auto", name):
            continue
        if precision == "bf16" and not cpu_has_bf16():
            yield title, "not on this processor"
            continue
        try:
            choice = make_engine(weights, CPU, name, precision)
        except UserError as error:
            yield title, str(error)
            continue
        yield title, choice.notes[0] if choice.notes else choice.engine


def measure_engines(
    weights: LoadedWeights, photos: list[Photo], rounds: int, only: str | None = None
) -> list[Row]:
    """Milliseconds of a run at a shorter side of 368, against eager fp32.

    How near that is to what the processor can do is told by its rate in a product of matrices.
    """
    table = f"Engines, {weights.network.name}, shorter side {SIDE}"
    plain = Plain(weights)
    rows, engines = [], {}
    for title, engine in every_engine(weights, only):
        if isinstance(engine, str):
            rows.append(Row(table, title, float("nan"), "ms", note=engine))
        else:
            engines[title] = engine

    def run(engine: Engine, number: int) -> object:
        return engine.run(photos[number % len(photos)].picture[None])

    cases: dict[str, Callable[[int], object]] = {
        "eager fp32": lambda number: plain.maps(photos[number % len(photos)])
    }
    cases |= {title: partial(run, engine) for title, engine in engines.items()}
    left, right = torch.rand(2, MATRIX_SIDE, MATRIX_SIDE)
    cases[MATRIX] = lambda number: left @ right
    # Every photo is a size that some engines prepare for when they first see it.
    seconds = alternated(cases, rounds, warm=min(rounds, len(photos)))
    reference = seconds["eager fp32"]
    matrix_rate = 2 * MATRIX_SIDE**3 / median(seconds.pop(MATRIX))
    each = operations_a_pixel(plain.network)
    operations = [each * photo.picture[..., 0].size for photo in photos]
    rows.append(Row(table, MATRIX, matrix_rate / 1e9, "GFLOP/s"))
    chosen = make_engine(weights, CPU).engine
    taken = f"{chosen.name} {chosen.precision}"
    for title, measured in seconds.items():
        rates = [operations[i % len(photos)] / second for i, second in enumerate(measured)]
        note = f"{median(rates) / matrix_rate:.0%} of the matrix product's rate"
        if title in engines:
            errors = []
            for photo in photos[:4]:
                maps = plain.maps(photo)
                expected = [(maps.pafs[None], maps.heatmaps[None])]
                errors.append(map_error(engines[title].run(photo.picture[None]), expected))
            note += f"; error of the maps: mean {np.mean([e.mean for e in errors]):.1e}, "
            note += f"largest {max(e.largest for e in errors):.1e}"
        if title == taken:
            note += "; **auto takes this**"
        rows.append(
            Row(table, title, 1e3 * median(measured), "ms", ratio(measured, reference), note)
        )
    return rows


def measure_decoder(weights: LoadedWeights, photos: list[Photo], rounds: int) -> list[Row]:
    """Maps to people, against the plain decoder."""
    plain = Plain(weights)
    table = f"Decoder, {weights.network.name}, shorter side {SIDE}"
    if plain.decode is None:
        missing = "needs tests/plain_path.py: run from a checkout"
        return [Row(table, "plain", float("nan"), "ms", note=missing)]
    found = [plain.maps(photo) for photo in photos]
    counts = [len(decode(maps)) for maps in found]
    richest = sorted(range(len(photos)), key=lambda i: -counts[i])[:9]
    crowd = plain.maps(mosaic([photos[i] for i in richest]))
    groups = {
        f"photos with 1 to {FEW_PEOPLE} people": [
            maps for maps, n in zip(found, counts, strict=True) if 1 <= n <= FEW_PEOPLE
        ],
        "photos with more": [maps for maps, n in zip(found, counts, strict=True) if n > FEW_PEOPLE],
        f"3x3 mosaic, {len(decode(crowd))} people": [crowd],
    }
    rows = []
    for name, group in groups.items():
        if not group:
            continue
        cases = {
            "plain": lambda number, group=group: plain.decode(group[number % len(group)]),
            "ours": lambda number, group=group: decode(group[number % len(group)]),
        }
        seconds = alternated(cases, max(rounds, len(group)) if len(group) > 1 else rounds)
        rows.append(Row(table, f"plain, {name}", 1e3 * median(seconds["plain"]), "ms", 1.0))
        speed = f"{1 / ratio(seconds['ours'], seconds['plain']):.0f} x as fast"
        rows.append(
            Row(
                table,
                f"ours, {name}",
                1e3 * median(seconds["ours"]),
                "ms",
                ratio(seconds["ours"], seconds["plain"]),
                speed,
            )
        )
    return rows


def measure_end_to_end(estimator: PoseEstimator, photos: list[Photo], rounds: int) -> list[Row]:
    """A JPEG file to people in one call, against the network alone."""
    engine = estimator.engine
    table = f"End to end, {estimator.weights.network.name}, preset fast"
    cases = {
        f"network alone ({engine.name} {engine.precision})": lambda number: engine.run(
            photos[number % len(photos)].picture[None]
        ),
        "file to people": lambda number: estimator(
            photos[number % len(photos)].path, preset="fast"
        ),
    }
    seconds = alternated(cases, rounds, warm=min(rounds, len(photos)))
    reference = next(iter(seconds.values()))
    return [
        Row(table, name, 1e3 * median(measured), "ms", ratio(measured, reference))
        for name, measured in seconds.items()
    ]


def measure_bulk(estimator: PoseEstimator, photos: list[Photo], rounds: int = 3) -> list[Row]:
    """Photos a second over a folder, against the plain path, preset fast on both sides."""
    plain = Plain(estimator.weights)
    table = f"A folder of {len(photos)} photos, {estimator.weights.network.name}, preset fast"
    if plain.decode is None:
        missing = "needs tests/plain_path.py: run from a checkout"
        return [Row(table, "plain path", float("nan"), "photos/s", note=missing)]
    paths = [photo.path for photo in photos]
    fast = get_preset("fast")
    cases = {
        "plain path": lambda number: [plain.people(path) for path in paths],
        "stream": lambda number: list(estimator.stream(paths, preset=fast)),
    }
    list(estimator.stream(paths, preset=fast))
    seconds = alternated(cases, rounds, warm=0)
    return [
        Row(
            table,
            name,
            len(paths) / median(measured),
            "photos/s",
            ratio(seconds["plain path"], measured),
        )
        for name, measured in seconds.items()
    ]
