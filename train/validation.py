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
from pose.out_of_memory import was_short_of_memory
from pose.weights import LoadedWeights
from train.cmu import CMU_FILE
from train.coco import annotation_file, image_folder, read_names
from train.coco_truth import choose_ids, find_images, read_truth
from train.initial import Start
from train.measuring import evaluate_estimator, limited
from train.settings import TrainSettings

PRESET = "balanced"


@dataclass(frozen=True)
class Validation:
    """What a network in training is worth.

    Attributes:
        ap: COCO keypoint AP in 0..1; 0 where there is nobody to find.
        notes: what was said about the images, each sentence once.
        comparable: whether every image was looked at as in the other validations; not so where
            memory ran out, and the AP is then of smaller or fewer images.
    """

    ap: float
    notes: tuple[str, ...] = ()
    comparable: bool = True


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
            UserError: annotations, images or the list of them are not there or do not fit.
        """
        data = self.settings.data
        if (data / CMU_FILE).is_file() and not (data / "annotations").is_dir():
            raise UserError(
                f"--val-split needs COCO's own annotations; {data} has CMU's {CMU_FILE} only."
            )
        if not self.folder.is_dir():
            raise UserError(f"There is no folder {self.folder}; check --val-split.")
        wanted = self.settings.val_image_list
        ids = choose_ids(self.truth, read_names(wanted), str(wanted))
        limited(find_images(self.truth, self.folder, ids), self.settings.val_max_images)

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

    def measure(self, network: PoseNetwork) -> Validation:
        """Runs the network over the images.

        Raises:
            UserError: they cannot be measured.
        """
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
        estimator = PoseEstimator(loaded, device=self.device, preset=PRESET)
        metrics = evaluate_estimator(
            estimator,
            self.truth,
            self.folder,
            image_ids=read_names(self.settings.val_image_list),
            limit=self.settings.val_max_images,
        )
        # The estimator's own notes are the same in every validation.
        notes = [note for note in metrics.notes if note not in estimator.notes]
        unseen = [b.reason for b in metrics.broken if was_short_of_memory(b.reason)]
        comparable = not unseen and not any(map(was_short_of_memory, notes))
        ap = float(np.nan_to_num(metrics.ap))
        return Validation(ap, (*notes, *unseen[:1]), comparable)
