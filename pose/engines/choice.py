"""Which engine runs a network: what was asked for, or the fastest that answers right."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import torch

from pose.engines import onnxruntime_engine, openvino_engine
from pose.engines.base import Engine
from pose.engines.bf16 import MEAN_TOLERANCE, map_error, probe_picture
from pose.engines.cache import cache_dir, cache_key
from pose.engines.device import cpu_has_bf16, processor_name
from pose.engines.exported import EXPORT_VERSION, from_export
from pose.engines.onnxruntime_engine import OnnxRuntimeEngine
from pose.engines.openvino_engine import OpenVinoEngine
from pose.engines.pytorch import TorchEngine
from pose.errors import UserError
from pose.names import ENGINES, PRECISIONS
from pose.saving import write_atomically
from pose.weights import LoadedWeights

MISSING = {"openvino": openvino_engine.INSTALL, "onnxruntime": onnxruntime_engine.INSTALL}

FP32_TOLERANCE = 1e-3
"""Largest error of an engine in fp32; more means that it runs another network."""

TRIALS = 5
"""Alternated runs by which two engines are compared; the shortest of each counts."""


@dataclass(frozen=True)
class Choice:
    """The engine taken, and sentences for the user."""

    engine: Engine
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """What OpenVINO did on a photo, compared with PyTorch in fp32 on the same machine.

    Attributes:
        mean, largest: error of the maps.
        ratio: its shortest time by PyTorch's.
    """

    mean: float
    largest: float
    ratio: float

    def passes(self, precision: str) -> bool:
        right = (
            self.mean <= MEAN_TOLERANCE if precision == "bf16" else self.largest <= FP32_TOLERANCE
        )
        return right and self.ratio < 1


def check_engine(device: torch.device, engine: str, precision: str) -> None:
    """Refuses names that do not exist and combinations that cannot run.

    Raises:
        UserError: no such engine or precision, or not on this device.
    """
    if engine not in ENGINES:
        raise UserError(f"no engine is called {engine!r}: choose {', '.join(ENGINES)}")
    if precision not in PRECISIONS:
        raise UserError(f"no precision is called {precision!r}: choose {', '.join(PRECISIONS)}")
    if device.type == "cuda" and engine not in ("auto", "torch"):
        raise UserError(f"the engine {engine} runs on the CPU: choose --device cpu")
    if device.type == "cpu" and precision == "fp16":
        raise UserError("fp16 needs a GPU: choose the precision auto, bf16 or fp32")
    if engine == "onnxruntime" and precision == "bf16":
        raise UserError("the engine onnxruntime knows fp32 alone: choose openvino or torch")
    if engine in MISSING and find_spec(engine) is None:
        raise UserError(MISSING[engine])


def make_engine(
    weights: LoadedWeights, device: torch.device, engine: str = "auto", precision: str = "auto"
) -> Choice:
    """The engine for weights as they were loaded; on first use it is built and tried.

    Args:
        engine: "auto" takes OpenVINO on the CPU where it is installed, right and faster than
            PyTorch, otherwise PyTorch.
        precision: "auto" takes bf16 where the processor has it and the maps bear it.

    Raises:
        UserError: unknown names, a package that is missing, or a combination that does not exist.
    """
    check_engine(device, engine, precision)
    fallback = partial(TorchEngine, weights.network, weights.preprocessing, device, precision)
    if device.type != "cpu" or engine == "torch" or not weights.sha256:
        return Choice(fallback())
    if engine == "onnxruntime":
        build = partial(build_onnxruntime, weights)
    elif find_spec("openvino") is not None:
        build = partial(build_openvino, weights, precision, trusting=engine == "openvino")
    else:
        return Choice(fallback())
    try:
        built = build()
    except Exception as error:  # whatever another library raises must not stop a photo
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        name = "onnxruntime" if engine == "onnxruntime" else "openvino"
        return Choice(fallback(), (f"PyTorch runs the network: {name} failed ({reason}).",))
    return Choice(built or fallback())


def build_onnxruntime(weights: LoadedWeights) -> OnnxRuntimeEngine:
    return from_export(weights, "fp32", lambda path: OnnxRuntimeEngine(path, weights.preprocessing))


def build_openvino(
    weights: LoadedWeights, precision: str, trusting: bool = False
) -> OpenVinoEngine | None:
    """The fastest OpenVINO engine that answers right; None if PyTorch is better.

    Args:
        precision: "auto" tries bf16 where the processor has it, then fp32.
        trusting: take OpenVINO, and a precision that was named, whatever the trial said.
    """
    candidates = [precision]
    if precision == "auto":
        candidates = ["bf16", "fp32"] if cpu_has_bf16() else ["fp32"]
    for candidate in candidates:
        engine = from_export(
            weights,
            candidate,
            partial(OpenVinoEngine, preprocessing=weights.preprocessing, precision=candidate),
        )
        named = trusting and candidate == candidates[-1]
        if named or kept_trial(weights, engine).passes(candidate):
            return engine
    return None


def kept_trial(weights: LoadedWeights, engine: OpenVinoEngine) -> Trial:
    """The trial of an engine, from the cache if this machine has made it before."""
    key = cache_key(
        EXPORT_VERSION,
        weights.sha256,
        weights.preprocessing.name,
        engine.precision,
        torch.__version__,
        installed("openvino"),
        processor_name(),
    )
    path = cache_dir() / f"trial-{key}.json"
    try:
        return Trial(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        trial = compare(weights, engine)
    with suppress(UserError):  # a folder that cannot be written: tried again next time
        write_atomically(path, lambda target: write_trial(trial, target))
    return trial


def write_trial(trial: Trial, path: Path) -> None:
    path.write_text(json.dumps(asdict(trial)) + "\n", "utf-8")


def compare(weights: LoadedWeights, engine: Engine) -> Trial:
    """Runs an engine and PyTorch in fp32 in turns on a photo."""
    reference = TorchEngine(weights.network, weights.preprocessing, torch.device("cpu"))
    picture = probe_picture(weights.preprocessing)
    error = map_error(engine.run(picture), reference.run(picture))
    shortest = [float("inf"), float("inf")]
    for _ in range(TRIALS):
        for i, tried in enumerate((engine, reference)):
            start = perf_counter()
            tried.run(picture)
            shortest[i] = min(shortest[i], perf_counter() - start)
    return Trial(error.mean, error.largest, shortest[0] / shortest[1])


def installed(package: str) -> str:
    """The version of a package, "none" where it is missing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
