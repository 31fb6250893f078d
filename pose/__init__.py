"""Multi-person 2D pose estimation in the manner of OpenPose."""

from pose.decode import DecodeSettings, decode
from pose.errors import UserError
from pose.estimator import PoseEstimator
from pose.image import load_image
from pose.presets import PRESETS, Preset
from pose.results import FieldMaps, Person, PoseResult, Timings
from pose.weights import WeightsCard, catalogue, load_weights

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
