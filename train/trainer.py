"""A training run: steps, epochs, validation, checkpoints, and what is told about them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pose.errors import UserError
from pose.networks import PoseNetwork
from pose.saving import copy_file, save_weights
from pose.weights import load_file
from train.coco import TrainingData
from train.dataset import Batch, CropDataset, Order, Shares, make_loader
from train.initial import Start, same_network
from train.interruption import Interruption
from train.journal import Journal
from train.optimise import learning_rate
from train.processes import gathered, in_step, memory_in_use
from train.run_directory import RunDirectory
from train.settings import TrainSettings
from train.stepper import Stepper, StepResult, Wishes
from train.teacher import Teacher
from train.validation import Validation, Validator


@dataclass(frozen=True)
class Summary:
    """How a training ended.

    Attributes:
        finished: False where it was interrupted and can be resumed.
        step: optimiser steps done.
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
        start: Start,
        data: TrainingData,
        accelerator: Any,
        journal: Journal,
        run: RunDirectory,
        validator: Validator | None = None,
        teacher: Teacher | None = None,
    ) -> None:
        self.settings, self.run, self.journal = settings, run, journal
        self.accelerator, self.start, self.validator = accelerator, start, validator
        self.dataset = CropDataset(data, settings, teacher)
        self.order = Order(len(self.dataset), settings.batch_size, settings.seed)
        self.total_steps = settings.max_steps or settings.epochs * self.order.steps_per_epoch
        self.started = (
            [p.detach().clone() for p in start.network.parameters()] if settings.keep_start else []
        )
        self.stepper = Stepper(settings, start, accelerator, journal.say)
        self.interruption = Interruption()
        self.step = 0
        self.epoch_sum = 0.0
        self.best: dict[str, float] = {}
        self.problems: list[str] = []

    @property
    def epoch(self) -> int:
        """The epoch (from 0) of the next step."""
        return self.step // self.order.steps_per_epoch

    @property
    def epoch_has_no_end(self) -> bool:
        """Whether all of an epoch's steps are done and its validation is not; see `validate`."""
        at_end = self.step % self.order.steps_per_epoch == 0 or self.step == self.total_steps
        return at_end and self.epoch_sum > 0

    @property
    def epochs(self) -> int:
        return -(-self.total_steps // self.order.steps_per_epoch)

    def fit(self) -> Summary:
        """Trains from where it stands to the end, or to Ctrl-C.

        Raises:
            UserError: see `Stepper.step`; or the weights cannot be written.
        """
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        loader = make_loader(
            self.dataset,
            Shares(self.order, self.step, self.total_steps, rank, world),
            self.settings.workers,
            pin_memory=self.accelerator.device.type == "cuda",
        )
        self.journal.open_bar(self.step, self.total_steps)
        saved = lap = before = epoch_began = time.monotonic()
        told = self.step
        with self.interruption.catching():
            if self.epoch_has_no_end:
                self.end_epoch(0.0)
                self.save()
            for batch in self.batches(loader):
                if self.step % self.order.steps_per_epoch == 0:
                    epoch_began = time.monotonic()
                    self.journal.say(f"Epoch {self.epoch + 1}/{self.epochs}")
                self.report(batch.problems)
                due = (time.monotonic() - saved) / 60 >= self.settings.checkpoint_minutes
                result = self.train_step(batch, Wishes(self.interruption.wanted, due))
                now = time.monotonic()
                self.tell_bar(result, self.settings.batch_size / max(now - before, 1e-9))
                before = now
                last = self.step == self.total_steps
                if self.step % self.settings.log_every == 0 or last:
                    self.tell_step(result, self.step - told, now - lap)
                    told, lap = self.step, now
                ended = last or self.step % self.order.steps_per_epoch == 0
                if ended:
                    self.end_epoch(time.monotonic() - epoch_began)
                if ended or result.wishes.save or result.wishes.stop:
                    self.save()
                    saved = time.monotonic()
                if (result.wishes.stop or self.may_stop()) and not last:
                    return Summary(False, self.step)
        return self.finish()

    def batches(self, loader: Iterable[Batch]) -> Iterator[Batch]:
        """The loader's; what has been learned is saved where the data cannot be read any more.

        Raises:
            UserError: no image can be read.
        """
        try:
            yield from loader
        except UserError as error:
            if self.accelerator.num_processes == 1:
                self.save()
            # From a loader's process the message comes wrapped in a traceback.
            line = str(error).strip().splitlines()[-1].rpartition("UserError: ")[2]
            raise UserError(f"{line} Then go on with --resume {self.run.folder}") from None

    def may_stop(self) -> bool:
        """Whether this process, alone, was asked to stop after the step, while it validated."""
        if self.accelerator.num_processes > 1 or not self.interruption.wanted:
            return False
        return self.step % self.order.steps_per_epoch == 0  # all else is not saved yet

    def train_step(self, batch, wishes: Wishes | None = None) -> StepResult:
        """The next step, see `Stepper.step`."""
        self.stepper.freeze(self.epoch < self.settings.freeze_epochs)
        rate = learning_rate(self.settings, self.step, self.total_steps)
        result = self.stepper.step(batch, self.step, rate, wishes)
        self.step += 1
        self.epoch_sum += result.loss
        return result

    def report(self, problems: tuple[str, ...]) -> None:
        """Names every unreadable image once."""
        for problem in problems:
            if problem not in self.problems:
                self.problems.append(problem)
                self.journal.say(
                    f"Skipped an image that cannot be used ({len(self.problems)} so far): {problem}"
                )

    def tell_bar(self, result: StepResult, speed: float) -> None:
        values = {"loss": f"{result.loss:.4g}", "images/s": f"{speed:.1f}"}
        self.journal.advance(**values, memory=f"{memory_in_use(self.accelerator.device):.1f} GB")

    def tell_step(self, result: StepResult, steps: int, seconds: float) -> None:
        """The seed's line per 10 iterations, and the numbers for metrics.jsonl."""
        self.journal.say(
            f"Iteration {self.step} || Loss: {result.loss:.6f} || {steps}iter: {seconds:.4f} sec."
        )
        self.journal.record(
            "step",
            {
                "step": self.step,
                "epoch": (self.step - 1) // self.order.steps_per_epoch + 1,
                "loss": result.loss,
                "pafs": list(result.pafs),
                "heatmaps": list(result.heatmaps),
                "learning_rate": learning_rate(self.settings, self.step - 1, self.total_steps),
                "gradient_norm": result.gradient_norm,
                "images_per_second": self.settings.batch_size * steps / seconds,
                "memory_gb": memory_in_use(self.accelerator.device),
            },
        )

    def end_epoch(self, seconds: float) -> None:
        """Averages, validates where it is due, keeps the best weights."""
        per_epoch = self.order.steps_per_epoch
        done = (self.step - 1) % per_epoch + 1
        epoch = (self.step - 1) // per_epoch + 1
        self.stepper.average_statistics()
        measured = None
        last = self.step == self.total_steps
        if self.validator is not None and (epoch % self.settings.val_every == 0 or last):
            measured = self.validate()
        loss, self.epoch_sum = self.epoch_sum / done, 0.0
        ap = None if measured is None else measured.ap
        told = "" if ap is None else f" || Epoch_VAL_AP:{ap:.4f}"
        self.journal.say(f"Epoch {epoch} || Epoch_TRAIN_Loss:{loss:.6f}{told}")
        self.journal.say(f"timer: {seconds:.4f} sec.")
        self.journal.record(
            "epoch", {"step": self.step, "epoch": epoch, "loss": loss, "seconds": seconds}
        )
        if measured is not None:
            self.tell_validation(measured, epoch)
        score = -loss if self.validator is None else None
        if measured is not None and measured.comparable:
            score = ap
        if score is not None and score >= self.best.get("score", -np.inf):
            best = {"score": score, "step": self.step, "epoch": epoch}
            if not self.accelerator.is_main_process or self.keep_best(ap):
                self.best = best
        self.draw_curve()

    def tell_validation(self, measured: Validation, epoch: int) -> None:
        """The AP for metrics.jsonl, and what has to be known about it."""
        for note in measured.notes:
            self.journal.say(f"Validation: {note}")
        if not measured.comparable:
            self.journal.say(
                f"The AP of epoch {epoch} was measured with too little memory and does not choose "
                "the best weights."
            )
        self.journal.record(
            "validation",
            {
                "step": self.step,
                "epoch": epoch,
                "ap": measured.ap,
                "comparable": measured.comparable,
            },
        )

    def keep_best(self, ap: float | None) -> bool:
        """Writes the best weights so far; a full disk is told and does not end the training."""
        try:
            self.export(self.run.best, ap)
        except UserError as error:
            self.journal.say(f"{error}; the earlier best weights are kept.")
            return False
        return True

    def draw_curve(self) -> None:
        try:
            self.journal.draw_curve()
        except OSError as error:
            self.journal.say(f"{self.run.curve} cannot be written: {error.strerror or error}.")

    def validate(self) -> Validation:
        """What the averaged weights are worth, measured by the main process.

        Where that fails the epoch's work is saved, and going on begins with this validation.

        Raises:
            UserError: the images cannot be measured.
        """
        try:
            measured = in_step(
                self.accelerator, lambda: self.validator.measure(self.averaged_network())
            )
        except Exception as error:
            # Saving needs all processes, and only a UserError reaches them all.
            if isinstance(error, UserError) or self.accelerator.num_processes == 1:
                self.save()
                self.journal.say(f"The validation failed; go on with --resume {self.run.folder}")
            raise
        return gathered([measured])[0]

    def averaged_network(self) -> PoseNetwork:
        """A copy of the network with the averaged weights, in eval mode on the CPU."""
        network = same_network(self.stepper.network)
        network.load_state_dict(self.stepper.average.state)
        if self.started:
            with torch.no_grad():
                for value, started in zip(network.parameters(), self.started, strict=True):
                    value.lerp_(started, self.settings.keep_start)
        return network.eval()

    def export(self, path: Path, ap: float | None) -> None:
        """Writes the averaged weights with what is needed to use them.

        Raises:
            UserError: they cannot be written, for instance because the disk is full.
        """
        metadata = {
            "title": f"{self.settings.name}, {self.settings.network}",
            "source": f"trained here from {self.start.description}",
            "licence": self.start.licence or "not stated",
            "step": str(self.step),
            "settings": self.settings.to_json(),
            **self.start.metadata(),
        }
        if ap is not None:
            metadata |= {"ap": f"{ap:.4f}", "ap_note": self.validator.description}
        save_weights(
            path,
            self.averaged_network(),
            preprocessing=self.start.preprocessing.name,
            metadata=metadata,
        )

    def finish(self) -> Summary:
        """Writes the final weights: the best by validation AP, else the averaged last ones.

        Raises:
            UserError: they cannot be written; resuming tries again.
        """

        def write() -> float | None:
            ap = self.best.get("score") if self.validator is not None else None
            try:
                if ap is not None and self.best_is_whole():
                    copy_file(self.run.best, self.run.weights)
                    return ap
                self.export(self.run.weights, None)
            except UserError as error:
                raise UserError(
                    f"{error}; make room and finish with --resume {self.run.folder}"
                ) from None
            return None

        ap = in_step(self.accelerator, write)
        return Summary(True, self.step, self.run.weights, ap)

    def best_is_whole(self) -> bool:
        """Whether the best weights can be used; says so where they cannot."""
        try:
            load_file(self.run.best)
        except UserError as error:
            self.journal.say(f"{error}; the last weights are taken in place of the best ones.")
            return False
        return True

    def save(self) -> None:
        """Replaces the last checkpoint; a full disk is told and does not end the training."""
        self.stepper.average_statistics()
        if not self.accelerator.is_main_process:
            return
        state = {
            "step": self.step,
            "samples": self.order.samples,
            "epoch_sum": self.epoch_sum,
            "best": self.best,
            "problems": self.problems,
            **self.stepper.state(),
        }
        try:
            self.run.save_checkpoint(state)
        except (OSError, RuntimeError) as error:
            self.journal.say(
                f"The checkpoint of step {self.step} could not be written "
                f"({str(error).splitlines()[0]}); the earlier one is kept."
            )

    def load(self, state: dict[str, Any]) -> None:
        """Takes over a checkpoint.

        Raises:
            UserError: it is of other data or another network.
        """
        if state["samples"] != self.order.samples:
            raise UserError(
                f"The run was started with {state['samples']} samples and there are now "
                f"{self.order.samples}: the data has changed; start a new run."
            )
        self.stepper.load(state)
        self.step, self.epoch_sum = state["step"], state["epoch_sum"]
        self.best, self.problems = state["best"], state["problems"]
        self.journal.rewind(self.step)
