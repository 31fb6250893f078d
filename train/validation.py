"""Validation AP of a network in training."""

from __future__ import annotations

from dataclasses import dataclass

from pose.networks import PoseNetwork
from pose.preprocessing import Preprocessing
from train.settings import TrainSettings


@dataclass(frozen=True)
class Validator:
    """Measures AP on a split, always in the same way.

    Attributes:
        settings: of the training; they name the data, the split and the slice of it.
    """

    settings: TrainSettings

    @classmethod
    def of(cls, settings: TrainSettings) -> Validator:
        return cls(settings)

    @property
    def description(self) -> str:
        return f"{self.settings.val_split}, preset balanced"

    def ap(self, network: PoseNetwork, preprocessing: Preprocessing) -> float:
        """COCO keypoint AP in 0..1."""
        raise NotImplementedError
