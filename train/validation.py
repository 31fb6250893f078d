"""Validation AP during a training, and the weights that a run keeps by it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pose.errors import UserError
from pose.estimator import PoseEstimator
from pose.files import copy_file
from pose.networks.build import PoseNetwork
from pose.presets import get_preset
from pose.weights.catalogue import WeightsCard
from pose.weights.load import LoadedWeights, load_file
from pose.weights.save import save_weights
from train.data.read import validation_source
from train.data.samples import read_names
from train.evaluation.ground_truth import ChosenImages, choose_images
from train.evaluation.measure import evaluate_images
from train.network import InitialNetwork
from train.run_directory import RunDirectory
from train.settings import TrainSettings

PRESET = get_preset("balanced")


@dataclass(frozen=True)
class Validator:
    """Measures AP on the validation images.

    Attributes:
        settings: of the training; they name the data and the images.
        initial: the preprocessing and the shift of the weights.
        device: "cpu" or "cuda".
    """

    settings: TrainSettings
    initial: InitialNetwork
    device: str

    @cached_property
    def chosen(self) -> ChosenImages:
        """The images to measure.

        Raises:
            UserError: annotations, images or the list of them are missing or do not fit.
        """
        wanted = self.settings.val_image_list
        annotations = validation_source(self.settings).read()
        return choose_images(annotations, read_names(wanted), None, str(wanted))

    @property
    def description(self) -> str:
        """What the AP is measured on."""
        listed = self.settings.val_image_list
        images = f", images of {listed.name}" if listed else ""
        return f"{validation_source(self.settings).split}{images}, preset {PRESET.name}"

    def measure(self, network: PoseNetwork) -> float:
        """COCO keypoint AP in 0..1.

        Raises:
            OutOfMemory: a photo does not fit; the AP of the others would not compare.
            UserError: the images cannot be measured.
        """
        card = WeightsCard(
            name=self.settings.name,
            title=self.settings.name,
            network=network.name,
            preprocessing=self.initial.preprocessing.name,
            source="in training",
            licence=self.initial.licence,
            metadata=self.initial.metadata(),
        )
        loaded = LoadedWeights(network, self.initial.preprocessing, card, (), "", "in training")
        estimator = PoseEstimator(loaded, device=self.device, preset=PRESET)
        return evaluate_images(estimator, self.chosen).ap


class RunWeights:
    """Writes a run's weights: the best so far, and the final ones.

    Attributes:
        best_score: of the best weights: their AP, without validation the negative training loss.
    """

    def __init__(
        self,
        settings: TrainSettings,
        initial: InitialNetwork,
        run: RunDirectory,
        validator: Validator | None,
        say: Callable[[str], None],
    ) -> None:
        self.settings, self.initial, self.run = settings, initial, run
        self.validator, self.say = validator, say
        self.best_score = -math.inf

    def keep_best(self, network: PoseNetwork, step: int, loss: float, ap: float | None) -> None:
        """Replaces the best weights if these are as good; a full disk does not end the training.

        Args:
            loss: mean training loss of the epoch.
            ap: of these weights; None if it was not measured.
        """
        score = ap if self.validator else -loss
        if score is None or score < self.best_score:
            return
        try:
            self.write(self.run.best, network, step, ap)
        except UserError as error:
            self.say(f"The earlier best weights are kept: {error}")
            return
        self.best_score = score

    def write_final(self, network: PoseNetwork, step: int) -> float | None:
        """Writes the best weights by AP as the final ones, or these if none were measured.

        Returns:
            The AP of what was written, if it is known.

        Raises:
            UserError: they cannot be written.
        """
        if self.validator and self.best_score >= 0 and self.best_is_readable():
            copy_file(self.run.best, self.run.weights)
            return self.best_score
        self.write(self.run.weights, network, step, None)
        return None

    def best_is_readable(self) -> bool:
        try:
            load_file(self.run.best)
        except UserError as error:
            self.say(f"{error}; the last weights are taken in place of the best ones.")
            return False
        return True

    def write(self, path: Path, network: PoseNetwork, step: int, ap: float | None) -> None:
        """Writes weights with everything needed to use them.

        Raises:
            UserError: they cannot be written, for instance because the disk is full.
        """
        metadata = {
            "title": f"{self.settings.name}, {self.settings.network}",
            "source": f"trained here from {self.initial.description}",
            "licence": self.initial.licence or "not stated",
            "step": str(step),
            "settings": self.settings.to_json(),
            **self.initial.metadata(),
        }
        if ap is not None and self.validator:
            metadata |= {"ap": f"{ap:.4f}", "ap_note": self.validator.description}
        preprocessing = self.initial.preprocessing.name
        save_weights(path, network, preprocessing=preprocessing, metadata=metadata)
