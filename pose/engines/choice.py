"""Which engine runs a network: the named one, or the fastest whose maps are right."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from statistics import median
from time import perf_counter

import numpy as np
import torch

from pose.engines.base import Engine
from pose.engines.bf16 import MEAN_TOLERANCE, map_error, probe_picture
from pose.engines.cache import cache_dir, cache_key
from pose.engines.device import cpu_has_bf16, processor_name
from pose.engines.exported import EXPORT_VERSION, from_export
from pose.engines.openvino_engine import INSTALL, OpenVinoEngine
from pose.engines.out_of_memory import first_line
from pose.engines.torch_engine import TorchEngine
from pose.errors import UserError
from pose.files import write_text
from pose.presets import ENGINES, PRECISIONS
from pose.weights.load import LoadedWeights

FP32_TOLERANCE = 1e-3
"""Largest error of an engine in fp32; more means that it runs another network."""

FEWEST_ROUNDS, MOST_ROUNDS = 5, 25
"""Alternated runs by which two engines are compared; more only while the winner is unclear."""

CLEAR_SHARE = 0.8
"""Share of the rounds that one engine must win."""


@dataclass(frozen=True)
class Choice:
    """The engine taken, why, and sentences for the user."""

    engine: Engine
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """OpenVINO compared with PyTorch in fp32 on the same photo and machine.

    Attributes:
        mean, largest: error of the maps.
        ratio: median of its time by PyTorch's, round by round.
        clear: whether one of them won at least `CLEAR_SHARE` of the rounds.
    """

    mean: float
    largest: float
    ratio: float
    clear: bool

    def is_right(self, precision: str) -> bool:
        """Whether the maps are those of the network."""
        if precision == "bf16":
            return self.mean <= MEAN_TOLERANCE
        return self.largest <= FP32_TOLERANCE

    def passes(self, precision: str) -> bool:
        """Whether the engine is right and faster."""
        return self.is_right(precision) and self.ratio < 1


def check_engine(device: torch.device, engine: str, precision: str) -> None:
    """Checks the names and whether they can run together.

    Raises:
        UserError: no such engine or precision, or not on this device.
    """
    if engine not in ENGINES:
        raise UserError(f"no engine is called {engine!r}: choose {', '.join(ENGINES)}")
    if precision not in PRECISIONS:
        raise UserError(f"no precision is called {precision!r}: choose {', '.join(PRECISIONS)}")
    if device.type == "cuda" and engine == "openvino":
        raise UserError(f"the engine {engine} runs on the CPU: choose --device cpu")
    if device.type == "cpu" and precision == "fp16":
        raise UserError("fp16 needs a GPU: choose the precision auto, bf16 or fp32")
    if engine == "openvino" and find_spec("openvino") is None:
        raise UserError(INSTALL)


def make_engine(
    weights: LoadedWeights, device: torch.device, engine: str = "auto", precision: str = "auto"
) -> Choice:
    """The engine for weights as they were loaded; on first use it is exported and compared.

    Args:
        engine: "auto" takes OpenVINO on the CPU where it is installed, right and faster than
            PyTorch, otherwise PyTorch. A named engine runs or raises.
        precision: "auto" takes bf16 where the processor has it and the maps stay accurate.

    Raises:
        UserError: unknown names, a package that is missing, a combination that does not exist, or
            a named engine that fails.
    """
    check_engine(device, engine, precision)
    in_torch = partial(TorchEngine, weights.network, weights.preprocessing, device, precision)
    if engine == "openvino":
        if not weights.sha256:
            raise UserError("openvino runs weights from a file: choose the engine torch")
        try:
            return openvino_choice(weights, precision) or named_openvino(weights, precision)
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                f"openvino cannot run these weights ({first_line(error)}): choose the engine torch"
            ) from error
    if device.type != "cpu" or engine == "torch" or not weights.sha256 or not find_spec("openvino"):
        return Choice(in_torch())
    try:
        return openvino_choice(weights, precision) or Choice(in_torch(), "PyTorch is faster here")
    except Exception as error:  # whatever another library raises must not stop a photo
        note = f"PyTorch runs the network: openvino failed ({first_line(error)})."
        return Choice(in_torch(), note, (note,))


def candidate_precisions(precision: str) -> list[str]:
    """The precisions to try, fastest first."""
    if precision != "auto":
        return [precision]
    return ["bf16", "fp32"] if cpu_has_bf16() else ["fp32"]


def named_openvino(weights: LoadedWeights, precision: str) -> Choice:
    """OpenVINO because it was asked for, though PyTorch may be faster."""
    candidate = candidate_precisions(precision)[-1]
    return Choice(exported_engine(weights, candidate), "OpenVINO was asked for")


def openvino_choice(weights: LoadedWeights, precision: str) -> Choice | None:
    """The first OpenVINO engine that is right and faster; None if PyTorch is better."""
    for candidate in candidate_precisions(precision):
        engine = exported_engine(weights, candidate)
        trial = cached_trial(weights, engine)
        if trial.passes(candidate):
            reason = f"OpenVINO in {candidate} takes {trial.ratio:.2f} of PyTorch's time here"
            return Choice(engine, reason)
    return None


def exported_engine(weights: LoadedWeights, precision: str) -> OpenVinoEngine:
    return from_export(
        weights,
        precision,
        partial(OpenVinoEngine, preprocessing=weights.preprocessing, precision=precision),
    )


def cached_trial(weights: LoadedWeights, engine: OpenVinoEngine) -> Trial:
    """The trial of an engine; an unclear one is not kept and so is made again at the next start."""
    key = cache_key(
        EXPORT_VERSION,
        weights.sha256,
        weights.preprocessing.name,
        engine.precision,
        torch.__version__,
        installed_version("openvino"),
        processor_name(),
    )
    path = cache_dir() / f"trial-{key}.json"
    with suppress(OSError, ValueError, TypeError):
        return Trial(**json.loads(path.read_text("utf-8")))
    trial = compare(weights, engine)
    if trial.clear:
        with suppress(UserError):  # a folder that cannot be written: tried again next time
            write_text(path, json.dumps(asdict(trial)) + "\n")
    return trial


def compare(weights: LoadedWeights, engine: Engine) -> Trial:
    """Runs an engine and PyTorch in fp32 in turns on a photo until the faster one is clear."""
    reference = TorchEngine(weights.network, weights.preprocessing, torch.device("cpu"))
    picture = probe_picture(weights.preprocessing)
    error = map_error(engine.run(picture), reference.run(picture))
    ratios: list[float] = []
    while len(ratios) < FEWEST_ROUNDS or (len(ratios) < MOST_ROUNDS and not is_clear(ratios)):
        ratios.append(seconds(engine, picture) / seconds(reference, picture))
    return Trial(error.mean, error.largest, median(ratios), is_clear(ratios))


def is_clear(ratios: list[float]) -> bool:
    wins = sum(ratio < 1 for ratio in ratios)
    return max(wins, len(ratios) - wins) >= CLEAR_SHARE * len(ratios)


def seconds(engine: Engine, picture: np.ndarray) -> float:
    start = perf_counter()
    engine.run(picture)
    return perf_counter() - start


def installed_version(package: str) -> str:
    """The version of a package, "none" where it is missing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
