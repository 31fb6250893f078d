"""The training loop: on one device or many, in whatever memory there is, never losing work."""

from __future__ import annotations

import contextlib
import gc
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError

from pose.errors import UserError
from pose.networks import PoseNetwork
from pose.saving import save_weights
from train.coco import TrainingData
from train.dataset import Batch, CropDataset, Order, Shares, jittered, make_loader
from train.initial import Start, front_end, make_start, same_network
from train.journal import Journal
from train.loss import LossTerms, field_loss
from train.memory import is_out_of_memory, recompute_activations
from train.optimise import (
    MovingAverage,
    learning_rate,
    make_optimizer,
    parameter_groups,
    set_rate,
)
from train.run_directory import RunDirectory, write_file
from train.settings import TrainSettings
from train.sources import chosen_data
from train.targets import make_targets
from train.validation import Validator


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


@dataclass(frozen=True)
class StepResult:
    """One optimiser step's loss over all processes: the total, and (6,) PAF and heatmap terms."""

    loss: float
    pafs: tuple[float, ...]
    heatmaps: tuple[float, ...]
    gradient_norm: float
    stop: bool


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
    ) -> None:
        self.settings, self.run, self.journal = settings, run, journal
        self.accelerator, self.start, self.validator = accelerator, start, validator
        self.rank, self.world = accelerator.process_index, accelerator.num_processes
        if settings.batch_size % self.world:
            raise UserError(
                f"--batch-size {settings.batch_size} cannot be shared by {self.world} processes; "
                "make it a multiple."
            )
        self.dataset = CropDataset(data, settings)
        self.order = Order(len(self.dataset), settings.batch_size, settings.seed)
        self.share = settings.batch_size // self.world
        self.micro_batch = min(settings.micro_batch or self.share, self.share)
        per_epoch = self.order.steps_per_epoch
        self.total_steps = settings.max_steps or settings.epochs * per_epoch
        self.preprocessing = start.preprocessing

        self.network = start.network.to(accelerator.device).train()
        if settings.channels_last:
            self.network = self.network.to(memory_format=torch.channels_last)
        if settings.gradient_checkpointing:
            recompute_activations(self.network)
        groups = parameter_groups(self.network, settings, start.fresh_stages)
        self.optimizer = accelerator.prepare_optimizer(make_optimizer(settings, groups))
        self.average = MovingAverage(self.network, settings.ema)
        self.frozen: bool | None = None

        self.step = 0
        self.epoch_sum = 0.0
        self.best: dict[str, float] = {}
        self.problems: list[str] = []
        self.interrupted = False
        if self.world > 1:
            self.share_weights()

    # One optimiser step

    def train_step(self, batch: Batch) -> StepResult:
        """One optimiser step on this process's share of a batch.

        Raises:
            UserError: the loss is not finite, or one sample does not fit into memory.
        """
        settings = self.settings
        self.freeze(self.step // self.order.steps_per_epoch < settings.freeze_epochs)
        set_rate(self.optimizer, learning_rate(settings, self.step, self.total_steps))
        terms = self.accumulate_fitting(batch)
        if self.world > 1:
            self.average_gradients()
        numbers = torch.cat(
            [
                terms.total.reshape(1).float(),
                terms.pafs,
                terms.heatmaps,
                torch.tensor([float(self.interrupted)], device=terms.pafs.device),
            ]
        )
        loss, *fields, stop = self.accelerator.reduce(numbers, "mean").tolist()
        if not np.isfinite(loss):
            self.stop_at_non_finite(terms, batch)
        norm = 0.0
        if settings.clip_norm:
            parameters = [p for p in self.network.parameters() if p.grad is not None]
            norm = float(self.accelerator.clip_grad_norm_(parameters, settings.clip_norm))
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update(self.network, self.step)
        self.step += 1
        half = len(fields) // 2
        return StepResult(loss, tuple(fields[:half]), tuple(fields[half:]), norm, stop > 0)

    def accumulate_fitting(self, batch: Batch) -> LossTerms:
        """`accumulate`, with smaller micro-batches as often as memory runs out."""
        while True:
            try:
                return self.accumulate(batch)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
            # Outside of the handler, where the failed graph is no longer held by the error.
            self.halve_micro_batch()

    def halve_micro_batch(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        gc.collect()
        if self.accelerator.device.type == "cuda":
            torch.cuda.empty_cache()
        if self.micro_batch == 1:
            raise UserError(
                "Not even one sample fits into memory; add --gradient-checkpointing or "
                "--precision bf16."
            )
        before, self.micro_batch = self.micro_batch, self.micro_batch // 2
        self.journal.say(
            f"Out of memory with {before} samples at once: going on with {self.micro_batch}, the "
            f"batch stays {self.settings.batch_size}."
        )

    def accumulate(self, batch: Batch) -> LossTerms:
        """Gradients of the mean loss of a batch, a micro-batch at a time."""
        self.optimizer.zero_grad(set_to_none=True)
        parts: list[LossTerms] = []
        weights: list[float] = []
        for first in range(0, len(batch), self.micro_batch):
            part = batch[first : first + self.micro_batch].to(self.accelerator.device)
            terms = self.losses(part)
            weights.append(len(part) / len(batch))
            self.accelerator.backward(terms.total * weights[-1])
            parts.append(LossTerms(terms.per_sample.detach(), terms.pafs, terms.heatmaps))
        pairs = list(zip(weights, parts, strict=True))
        return LossTerms(
            torch.cat([p.per_sample for p in parts]),
            sum(w * p.pafs for w, p in pairs),
            sum(w * p.heatmaps for w, p in pairs),
        )

    def losses(self, batch: Batch) -> LossTerms:
        """The forward pass of samples that are on the device."""
        images = batch.images
        if self.settings.color_jitter:
            images = jittered(images, batch.jitter)
        images = self.preprocessing(images)
        if self.settings.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        shift = batch.keypoints.new_tensor([*self.start.shift, 0.0])
        targets = make_targets(
            batch.keypoints + shift,
            batch.masks.shape[1:],
            self.settings.sigma,
            self.settings.paf_width,
        )
        with self.accelerator.autocast():
            stages = self.network(images)
        return field_loss(stages, targets, batch.masks / 255, self.settings.reduction)

    def freeze(self, frozen: bool) -> None:
        """Holds or releases the front end."""
        if frozen == self.frozen:
            return
        self.frozen = frozen
        for module in front_end(self.network):
            module.requires_grad_(not frozen)
            module.train(not frozen)

    def stop_at_non_finite(self, terms: LossTerms, batch: Batch) -> None:
        bad = (~terms.per_sample.isfinite()).nonzero().flatten().tolist()
        names = gathered(sorted({batch.names[i] for i in bad}))
        raise UserError(
            f"The loss of step {self.step + 1} is not finite, with the images "
            f"{', '.join(dict.fromkeys(names))}. The last checkpoint is kept: lower "
            "--learning-rate, or check these images' annotations."
        )

    # Several processes

    def share_weights(self) -> None:
        """Every process starts from the first one's weights."""
        for value in self.network.state_dict().values():
            torch.distributed.broadcast(value, 0)

    def average_gradients(self) -> None:
        """The mean of all processes' gradients, in one transfer."""
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        flat = self.accelerator.reduce(flat, "mean")
        for gradient, mean in zip(
            gradients, flat.split([g.numel() for g in gradients]), strict=True
        ):
            gradient.copy_(mean.view_as(gradient))

    def average_statistics(self) -> None:
        """The mean of all processes' batch-norm statistics."""
        if self.world > 1:
            for value in self.network.buffers():
                if value.is_floating_point():
                    value.copy_(self.accelerator.reduce(value, "mean"))

    # The run

    def fit(self) -> Summary:
        """Trains from where it stands to the end, or to Ctrl-C."""
        settings, journal = self.settings, self.journal
        cuda = self.accelerator.device.type == "cuda"
        loader = make_loader(
            self.dataset,
            Shares(self.order, self.step, self.total_steps, self.rank, self.world),
            settings.workers,
            pin_memory=cuda,
        )
        journal.open_bar(self.step, self.total_steps)
        saved = lap = before = epoch_began = time.monotonic()
        with self.catching_signals():
            for batch in loader:
                if self.step % self.order.steps_per_epoch == 0:
                    epoch_began = time.monotonic()
                    journal.say(f"Epoch {self.epoch + 1}/{self.epochs}")
                self.report(batch.problems)
                result = self.train_step(batch)
                self.epoch_sum += result.loss
                now = time.monotonic()
                self.tell_bar(result, settings.batch_size / max(now - before, 1e-9))
                before = now
                if self.step % settings.log_every == 0 or self.step == self.total_steps:
                    self.tell_step(result, now - lap)
                    lap = now
                ended = self.step % self.order.steps_per_epoch == 0
                if ended or self.step == self.total_steps:
                    self.end_epoch(time.monotonic() - epoch_began)
                if result.stop and self.step < self.total_steps:
                    self.save()
                    journal.close()
                    return Summary(False, self.step)
                due = (time.monotonic() - saved) / 60 >= settings.checkpoint_minutes
                if ended or due or self.step == self.total_steps:
                    self.save()
                    saved = time.monotonic()
        summary = self.finish()
        journal.close()
        return summary

    @property
    def epoch(self) -> int:
        """The epoch (from 0) of the next step."""
        return self.step // self.order.steps_per_epoch

    @property
    def epochs(self) -> int:
        return -(-self.total_steps // self.order.steps_per_epoch)

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

    def tell_step(self, result: StepResult, seconds: float) -> None:
        """The seed's line per 10 iterations, and the numbers for metrics.jsonl."""
        self.journal.say(
            f"Iteration {self.step} || Loss: {result.loss:.6f} || "
            f"{self.settings.log_every}iter: {seconds:.4f} sec."
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
                "images_per_second": self.settings.batch_size * self.settings.log_every / seconds,
                "memory_gb": memory_in_use(self.accelerator.device),
            },
        )

    def end_epoch(self, seconds: float) -> None:
        """Averages, validates where it is due, keeps the best weights."""
        per_epoch = self.order.steps_per_epoch
        done = (self.step - 1) % per_epoch + 1
        epoch = (self.step - 1) // per_epoch + 1
        loss, self.epoch_sum = self.epoch_sum / done, 0.0
        self.average_statistics()
        ap = None
        last = self.step == self.total_steps
        if self.validator is not None and (epoch % self.settings.val_every == 0 or last):
            ap = self.validate()
        told = "" if ap is None else f" || Epoch_VAL_AP:{ap:.4f}"
        self.journal.say(f"Epoch {epoch} || Epoch_TRAIN_Loss:{loss:.6f}{told}")
        self.journal.say(f"timer: {seconds:.4f} sec.")
        self.journal.record(
            "epoch", {"step": self.step, "epoch": epoch, "loss": loss, "seconds": seconds}
        )
        if ap is not None:
            self.journal.record("validation", {"step": self.step, "epoch": epoch, "ap": ap})
        score = ap if self.validator is not None else -loss
        if score is not None and score >= self.best.get("score", -np.inf):
            self.best = {"score": score, "step": self.step, "epoch": epoch}
            if self.accelerator.is_main_process:
                self.keep_best(ap)
        self.draw_curve()

    def keep_best(self, ap: float | None) -> None:
        """Writes the best weights so far; a full disk is told and does not end the training."""
        try:
            self.export(self.run.best, ap)
        except UserError as error:
            self.journal.say(f"{error}; the earlier best weights are kept.")

    def draw_curve(self) -> None:
        try:
            self.journal.draw_curve()
        except OSError as error:
            self.journal.say(f"{self.run.curve} cannot be written: {error.strerror or error}.")

    def validate(self) -> float | None:
        """The AP of the averaged weights, measured by the main process."""
        ap = in_step(self.accelerator, lambda: self.validator.ap(self.averaged_network()))
        return gathered([ap])[0]

    def averaged_network(self) -> PoseNetwork:
        """A copy of the network with the averaged weights, in eval mode on the CPU."""
        network = same_network(self.network)
        network.load_state_dict(self.average.state)
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
        try:
            save_weights(
                path,
                self.averaged_network(),
                preprocessing=self.preprocessing.name,
                metadata=metadata,
            )
        except SafetensorError as error:
            raise UserError(f"{path} cannot be written: {error}") from None

    def finish(self) -> Summary:
        """Writes the final weights: the best by validation AP, else the averaged last ones."""
        ap = self.best.get("score") if self.validator is not None else None
        if self.accelerator.is_main_process:
            if ap is not None and self.run.best.is_file():
                copy_file(self.run.best, self.run.weights)
            else:
                self.export(self.run.weights, None)
        self.accelerator.wait_for_everyone()
        return Summary(True, self.step, self.run.weights, ap)

    # Saving and going on

    def save(self) -> None:
        """Replaces the last checkpoint; a full disk is told and does not end the training."""
        self.average_statistics()
        if not self.accelerator.is_main_process:
            return
        try:
            self.run.save_checkpoint(self.state())
        except (OSError, RuntimeError) as error:
            self.journal.say(
                f"The checkpoint of step {self.step} could not be written "
                f"({str(error).splitlines()[0]}); the earlier one is kept."
            )

    def state(self) -> dict[str, Any]:
        scaler = self.accelerator.scaler
        return {
            "step": self.step,
            "total_steps": self.total_steps,
            "samples": self.order.samples,
            "epoch_sum": self.epoch_sum,
            "best": self.best,
            "problems": self.problems,
            "micro_batch": self.micro_batch,
            "network": self.network.state_dict(),
            "average": self.average.state,
            "optimizer": self.optimizer.state_dict(),
            "scaler": scaler.state_dict() if scaler is not None else None,
            "random": random_state(),
        }

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
        try:
            self.network.load_state_dict(state["network"])
        except RuntimeError:
            raise UserError(f"The checkpoint in {self.run.folder} is of another network.") from None
        self.average.load(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.accelerator.scaler is not None and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        self.step, self.epoch_sum = state["step"], state["epoch_sum"]
        self.best, self.problems = state["best"], state["problems"]
        if self.settings.micro_batch is None:
            self.micro_batch = min(self.micro_batch, state["micro_batch"])
        restore_random(state["random"])
        self.journal.rewind(self.step)

    @contextlib.contextmanager
    def catching_signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM end the training after the step in hand; a later Ctrl-C at once.

        Launchers pass a Ctrl-C on, so that it may come twice in a moment.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        first = 0.0

        def note(number: int, _: Any) -> None:
            nonlocal first
            first = first or time.monotonic()
            if number == signal.SIGINT and time.monotonic() - first > 2:
                raise KeyboardInterrupt
            self.interrupted = True

        before = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def copy_file(source: Path, target: Path) -> None:
    """Copies by an atomic rename."""
    temporary = target.with_name(f".{target.name}")
    try:
        shutil.copyfile(source, temporary)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UserError(f"{target} cannot be written: {error.strerror or error}") from None


def gathered(values: list) -> list:
    """All processes' values, one after the other."""
    from accelerate.utils import gather_object

    return gather_object(values)


def memory_in_use(device: torch.device) -> float:
    """Peak gigabytes on the GPU, or of this process on the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def random_state() -> dict[str, Any]:
    """The states of torch's generators; everything about samples comes from the seed instead."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def restore_random(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["cpu"])
    if state["cuda"] and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])


def make_accelerator(settings: TrainSettings) -> Any:
    """Accelerate's view of the devices and processes.

    Raises:
        UserError: the device or the precision is not to be had.
    """
    from accelerate import Accelerator, InitProcessGroupKwargs

    if settings.device == "cuda" and not torch.cuda.is_available():
        raise UserError("There is no CUDA device here; use --device cpu or auto.")
    cpu = settings.device == "cpu" or not torch.cuda.is_available()
    if cpu and settings.precision == "fp16":
        raise UserError("fp16 needs a GPU; use --precision bf16 or no.")
    try:
        # The other processes wait for a validation that the first one does.
        patience = InitProcessGroupKwargs(timeout=timedelta(hours=3))
        return Accelerator(mixed_precision=settings.precision, cpu=cpu, kwargs_handlers=[patience])
    except ValueError as error:
        raise UserError(f"Accelerate refuses these options: {error}") from None


def in_step(accelerator: Any, work: Callable[[], Any]) -> Any:
    """Runs the main process's `work`; its UserError is raised by every process.

    Without this the others would wait forever for a process that has stopped.
    """
    result, message = None, ""
    if accelerator.is_main_process:
        try:
            result = work()
        except UserError as error:
            message = str(error)
    if accelerator.num_processes > 1:
        message = "".join(gathered([message]))
    if message:
        raise UserError(message)
    return result


def train(settings: TrainSettings, *, resume: bool = False, overwrite: bool = False) -> Summary:
    """Trains by the settings into their run directory.

    Args:
        resume: go on from the last checkpoint.
        overwrite: replace an earlier run of that directory.

    Raises:
        UserError: for everything the user can put right.
    """
    accelerator = make_accelerator(settings)
    run = RunDirectory(settings.output)
    journal = None
    try:
        in_step(accelerator, lambda: open_run(run, settings, resume, overwrite))
        data = chosen_data(settings)
        start = make_start(settings)
        validator = None
        if settings.val_split:
            validator = Validator(settings, start, accelerator.device.type)
            validator.check()
        if not resume:
            # Only now that everything is found to be right is an earlier run given up.
            in_step(accelerator, lambda: begin_run(run, settings))
        journal = Journal(
            run,
            speaks=accelerator.is_main_process,
            progress=settings.progress,
            tensorboard=settings.tensorboard,
        )
        trainer = Trainer(settings, start, data, accelerator, journal, run, validator)
        for line in data.problems.lines():
            journal.say(line)
        journal.say(
            f"{settings.name}: {settings.network} from {start.description}, {len(data.images)} "
            f"images, {len(data.samples)} samples, {trainer.total_steps} steps of "
            f"{settings.batch_size} on {accelerator.num_processes} x {accelerator.device.type}"
        )
        if resume:
            trainer.load(run.load_checkpoint())
            journal.say(f"Going on after step {trainer.step}")
        else:
            trainer.save()
        return trainer.fit()
    finally:
        if journal is not None:
            journal.close()
        run.unlock()


def open_run(run: RunDirectory, settings: TrainSettings, resume: bool, overwrite: bool) -> None:
    """Locks the run directory and makes it ready.

    Raises:
        UserError: it is taken, or holds a run that would be lost.
    """
    run.lock()
    if resume:
        if run.finished:
            raise UserError(f"The run in {run.folder} is finished; there is nothing to resume.")
        return
    if run.started and not overwrite:
        raise UserError(
            f"{run.folder} holds an earlier run; resume it with --resume {run.folder}, replace it "
            "with --overwrite, or give another --output."
        )


def begin_run(run: RunDirectory, settings: TrainSettings) -> None:
    """Clears the run directory and writes the settings.

    Raises:
        UserError: it cannot be written.
    """
    try:
        run.clear()
        write_file(run.settings, lambda file: file.write(settings.to_json().encode()))
    except OSError as error:
        raise UserError(f"{run.folder} cannot be written ({error.strerror}).") from None
