"""A training run: steps, epochs, validation, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pose.engines.forward import OutOfMemory
from pose.errors import UserError
from train.centred import centre
from train.data.dataset import Batch, CropDataset, jittered, make_loader
from train.data.order import Order
from train.data.samples import TrainingData
from train.distributed import Interruption, average_statistics, gathered, in_step
from train.log import TrainingLog
from train.network import InitialNetwork, has_batch_norm
from train.run_directory import RunDirectory
from train.settings import TrainSettings
from train.stepper import Stepper, StepResult
from train.teacher import Teacher
from train.validation import RunWeights, Validator

SEEN_SAMPLES, SEEN_AT_ONCE = 128, 8
"""Samples that the mean inputs are taken from."""


@dataclass(frozen=True)
class Summary:
    """How a training ended.

    Attributes:
        finished: False if it was interrupted and can be resumed.
        step: optimizer steps done.
        weights: the weights file of a finished run.
        ap: the validation AP of those weights, None without validation.
    """

    finished: bool
    step: int
    weights: Path | None = None
    ap: float | None = None


class Trainer:
    """Trains one network into one run directory."""

    def __init__(
        self,
        settings: TrainSettings,
        initial: InitialNetwork,
        data: TrainingData,
        accelerator: Any,
        log: TrainingLog,
        run: RunDirectory,
        validator: Validator | None = None,
        teacher: Teacher | None = None,
    ) -> None:
        self.settings, self.run, self.log = settings, run, log
        self.accelerator, self.initial, self.validator = accelerator, initial, validator
        self.dataset = CropDataset(data, settings)
        self.order = Order(len(self.dataset), settings.batch_size, settings.seed)
        self.steps_per_epoch = self.order.steps_per_epoch
        self.total_steps = settings.max_steps or settings.epochs * self.steps_per_epoch
        if settings.relative_rates and not has_batch_norm(initial.network):
            centre(initial.network, self.first_images())
        self.stepper = Stepper(settings, initial, accelerator, self.total_steps, log.say, teacher)
        self.interruption = Interruption()
        self.step, self.epoch_loss = 0, 0.0  # the loss is summed over the steps of an epoch
        self.weights = RunWeights(settings, initial, run, validator, log.say)

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step == self.total_steps

    @property
    def epoch(self) -> int:
        """The epoch of the last step, from 1."""
        return (self.step - 1) // self.steps_per_epoch + 1

    @property
    def at_epoch_end(self) -> bool:
        """Whether the last step was the last of an epoch."""
        return self.step % self.steps_per_epoch == 0 or self.finished

    def fit(self) -> Summary:
        """Trains to the end, or until Ctrl-C.

        Raises:
            UserError: see `Stepper.step`; or the weights cannot be written.
        """
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        loader = make_loader(
            self.dataset,
            self.order.batches(self.step, self.total_steps, rank, world),
            self.settings.workers,
            pin_memory=self.accelerator.device.type == "cuda",
        )
        self.log.start(self.step, self.total_steps)
        saved = epoch_began = time.monotonic()
        with self.interruption.catching():
            if self.at_epoch_end and self.epoch_loss:  # its validation failed
                self.end_epoch(0.0)
                self.save()
            for batch in self.batches(loader):
                if self.step % self.steps_per_epoch == 0:
                    epoch_began = time.monotonic()
                    epochs = math.ceil(self.total_steps / self.steps_per_epoch)
                    self.log.say(f"Epoch {self.epoch + 1}/{epochs}")
                self.log.unreadable(batch.problems)
                due = (time.monotonic() - saved) / 60 >= self.settings.checkpoint_minutes
                result = self.train_step(batch, stop=self.interruption.requested, save=due)
                due = self.step % self.settings.log_every == 0 or self.finished
                self.log.step(result, self.step, self.epoch, due)
                if self.at_epoch_end:
                    self.end_epoch(time.monotonic() - epoch_began)
                if self.at_epoch_end or result.save or result.stop:
                    self.save()
                    saved = time.monotonic()
                # Ctrl-C during a validation; several processes agree on it in the next step.
                late = self.interruption.requested and self.at_epoch_end and world == 1
                if (result.stop or late) and not self.finished:
                    return Summary(False, self.step)
        return self.finish()

    def first_images(self) -> Iterator[torch.Tensor]:
        """The first samples, preprocessed, on the CPU and a few at once.

        Raises:
            UserError: no image can be read.
        """
        count = math.ceil(SEEN_SAMPLES / self.settings.batch_size)
        draws = self.order.batches(0, min(count, self.steps_per_epoch), rank=0, world=1)
        for batch in make_loader(self.dataset, draws, self.settings.workers):
            if isinstance(batch, UserError):
                raise batch
            images = self.initial.preprocessing(jittered(batch.images, batch.jitter))
            yield from images.split(SEEN_AT_ONCE)

    def batches(self, loader: Iterable[Batch | UserError]) -> Iterator[Batch]:
        """The loader's batches; if the data has become unreadable, the progress is saved.

        Raises:
            UserError: no image can be read.
        """
        for batch in loader:
            if isinstance(batch, UserError):
                if self.accelerator.num_processes == 1:
                    self.save()
                raise UserError(f"{batch} Then resume with --resume {self.run.folder}")
            yield batch

    def train_step(self, batch: Batch, *, stop: bool = False, save: bool = False) -> StepResult:
        """The next step, see `Stepper.step`."""
        self.stepper.freeze(self.step // self.steps_per_epoch < self.settings.freeze_epochs)
        result = self.stepper.step(batch, stop=stop, save=save)
        self.step += 1
        self.epoch_loss += result.loss
        return result

    def end_epoch(self, seconds: float) -> None:
        """Validates if it is due, logs the epoch, keeps the best weights."""
        epoch, done = self.epoch, self.step - (self.epoch - 1) * self.steps_per_epoch
        average_statistics(self.accelerator, self.stepper.network, self.stepper.average.module)
        ap = None
        if self.validator:
            ap = self.validate(self.validator)
        loss, self.epoch_loss = self.epoch_loss / done, 0.0
        measured = "" if ap is None else f" || Epoch_VAL_AP:{ap:.4f}"
        self.log.say(f"Epoch {epoch} || Epoch_TRAIN_Loss:{loss:.6f}{measured}")
        self.log.say(f"timer: {seconds:.4f} sec.")
        self.log.record(
            "epoch", {"step": self.step, "epoch": epoch, "loss": loss, "seconds": seconds}
        )
        if ap is not None:
            self.log.record("validation", {"step": self.step, "epoch": epoch, "ap": ap})
        if self.accelerator.is_main_process:
            self.weights.keep_best(self.stepper.averaged_network(), self.step, loss, ap)
        self.log.draw_curve()

    def validate(self, validator: Validator) -> float | None:
        """AP of the averaged weights, measured by the main process; None if memory runs out.

        If it fails, the epoch is saved, and resuming starts with this validation.

        Raises:
            UserError: the images cannot be measured.
        """

        def measure() -> float | None:
            try:
                return validator.measure(self.stepper.averaged_network())
            except OutOfMemory as error:
                self.log.say(f"The AP of this epoch was not measured: {error}")
                return None

        try:
            ap = in_step(self.accelerator, measure)
        except Exception as error:
            # Saving needs all processes, and only a UserError reaches them all.
            if isinstance(error, UserError) or self.accelerator.num_processes == 1:
                self.save()
                self.log.say(f"The validation failed; resume with --resume {self.run.folder}")
            raise
        return gathered([ap])[0]

    def finish(self) -> Summary:
        """Writes the final weights.

        Raises:
            UserError: they cannot be written; resuming tries again.
        """

        def write() -> float | None:
            try:
                return self.weights.write_final(self.stepper.averaged_network(), self.step)
            except UserError as error:
                raise UserError(
                    f"{error}, or make room and finish with --resume {self.run.folder}"
                ) from None

        return Summary(True, self.step, self.run.weights, in_step(self.accelerator, write))

    def save(self) -> None:
        """Replaces the last checkpoint; a full disk is logged and does not end the training."""
        average_statistics(self.accelerator, self.stepper.network, self.stepper.average.module)
        if not self.accelerator.is_main_process:
            return
        state = {
            "step": self.step,
            "samples": self.order.samples,
            "epoch_loss": self.epoch_loss,
            "best_score": self.weights.best_score,
            "problems": self.log.problems,
            **self.stepper.state(),
        }
        try:
            self.run.save_checkpoint(state)
        except UserError as error:
            what = f"The checkpoint of step {self.step} was not saved, the earlier one is kept"
            self.log.say(f"{what}: {error}")

    def load(self, state: dict[str, Any]) -> None:
        """Resumes from a checkpoint.

        Raises:
            UserError: it is of other data or another network.
        """
        if state["samples"] != self.order.samples:
            raise UserError(
                f"The run was started with {state['samples']} samples and there are now "
                f"{self.order.samples}: the data has changed; start a new run."
            )
        self.stepper.load(state)
        self.step, self.epoch_loss = state["step"], state["epoch_loss"]
        self.weights.best_score, self.log.problems = state["best_score"], state["problems"]
        self.log.rewind(self.step)
