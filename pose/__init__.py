"""Multi-person 2D pose estimation in the manner of OpenPose."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pose.catalogue import WeightsCard, catalogue
from pose.decode import DecodeSettings, decode
from pose.errors import UserError
from pose.image import load_image
from pose.presets import PRESETS, Preset
from pose.results import FieldMaps, Person, PoseResult, Timings

if TYPE_CHECKING:
    from pose.estimator import PoseEstimator
    from pose.weights import load_weights

__all__ = [
    "PRESETS",
    "DecodeSettings",
    "FieldMaps",
    "Person",
    "PoseEstimator",
    "PoseResult",
    "Preset",
    "Timings",
    "UserError",
    "WeightsCard",
    "catalogue",
    "decode",
    "load_image",
    "load_weights",
]

WITH_PYTORCH = {"PoseEstimator": "pose.estimator", "load_weights": "pose.weights"}
"""Names imported at their first use: PyTorch takes seconds, and a list of weights, a message about
a wrong option or the page's first answer do not need it."""


def __getattr__(name: str) -> Any:
    if name not in WITH_PYTORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(WITH_PYTORCH[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
