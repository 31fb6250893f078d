"""Multi-person 2D pose estimation in the manner of OpenPose.

`PoseEstimator` finds people; `pose.drawing`, `pose.export`, `pose.oks`, `pose.motion`,
`pose.skeleton`, `pose.networks` and `pose.weights` are public too.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pose.decoding.decode import DecodeSettings, decode
from pose.decoding.field_maps import FieldMaps
from pose.errors import UserError
from pose.images.load import load_image
from pose.person import Person
from pose.presets import PRESETS, Preset
from pose.results import PoseResult, Timings
from pose.version import __version__
from pose.weights.catalogue import WeightsCard, catalogue

if TYPE_CHECKING:
    from pose.estimator import PoseEstimator
    from pose.weights.load import load_weights

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
    "__version__",
    "catalogue",
    "decode",
    "load_image",
    "load_weights",
]

WITH_PYTORCH = {"PoseEstimator": "pose.estimator", "load_weights": "pose.weights.load"}
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
