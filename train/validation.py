"""Validation AP of a network in training."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pose.catalogue import WeightsCard
from pose.errors import UserError
from pose.estimator import PoseEstimator
from pose.networks import PoseNetwork
from pose.weights import LoadedWeights
from train.cmu import CMU_FILE
from train.coco import annotation_file, image_folder, read_names
from train.coco_truth import read_truth
from train.evaluate import evaluate_estimator
from train.initial import Start
from train.settings import TrainSettings

PRESET = "balanced"


@dataclass(frozen=True)
class Validator:
    """Measures AP on a split, always in the same way.

    Attributes:
        settings: of the training; they name the data, the split and the slice of it.
        start: the preprocessing and the shift of the weights.
        device: "cpu" or "cuda".
    """

    settings: TrainSettings
    start: Start
    device: str

    def check(self) -> None:
        """Reads what will be needed, so that a mistake shows before the training.

        Raises:
            UserError: annotations or images are not there.
        """
        data = self.settings.data
        if (data / CMU_FILE).is_file() and not (data / "annotations").is_dir():
            raise UserError(
                f"--val-split needs COCO's own annotations; {data} has CMU's {CMU_FILE} only."
            )
        if not self.folder.is_dir():
            raise UserError(f"There is no folder {self.folder}; check --val-split.")
        assert self.truth is not None

    @cached_property
    def truth(self):
        return read_truth(annotation_file(self.settings.data, self.settings.val_split))

    @property
    def folder(self) -> Path:
        return image_folder(self.settings.data, self.settings.val_split)

    @property
    def description(self) -> str:
        """What the AP is measured on."""
        some = []
        if self.settings.val_image_list is not None:
            some.append(f"images of {self.settings.val_image_list.name}")
        if self.settings.val_max_images is not None:
            some.append(f"{self.settings.val_max_images} images")
        return ", ".join([str(self.settings.val_split), *some, f"preset {PRESET}"])

    def ap(self, network: PoseNetwork) -> float:
        """COCO keypoint AP in 0..1; 0 where there is nobody to find."""
        start = self.start
        card = WeightsCard(
            name=self.settings.name,
            title=self.settings.name,
            network=network.name,
            preprocessing=start.preprocessing.name,
            source="in training",
            licence=start.licence,
            metadata=start.metadata(),
        )
        loaded = LoadedWeights(network, start.preprocessing, card, (), "", "in training")
        metrics = evaluate_estimator(
            PoseEstimator(loaded, device=self.device, preset=PRESET),
            self.truth,
            self.folder,
            image_ids=read_names(self.settings.val_image_list),
            limit=self.settings.val_max_images,
        )
        return float(np.nan_to_num(metrics.ap))
