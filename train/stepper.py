"""One optimiser step: the loss of a batch in whatever memory there is, on one process or many."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from pose.errors import UserError
from pose.out_of_memory import first_line, is_out_of_memory
from train.dataset import Batch, jittered
from train.initial import Start, front_end
from train.loss import LossTerms, field_loss
from train.memory import recompute_activations
from train.optimise import MovingAverage, make_optimizer, parameter_groups, set_rate
from train.processes import gathered, half_precision
from train.settings import TrainSettings
from train.targets import make_targets
from train.teacher import blended


@dataclass(frozen=True)
class Wishes:
    """What a process wants to happen after a step; one process's wish is everyone's.

    Attributes:
        stop: end the training.
        save: write a checkpoint.
    """

    stop: bool = False
    save: bool = False


@dataclass(frozen=True)
class StepResult:
    """One optimiser step, over all processes.

    Attributes:
        loss: the mean over the batch, summed over stages and fields.
        pafs, heatmaps: its terms, one a stage.
        gradient_norm: before clipping; 0 where nothing is clipped and fp16's scaler looks at it.
        wishes: of any process.
    """

    loss: float
    pafs: tuple[float, ...]
    heatmaps: tuple[float, ...]
    gradient_norm: float
    wishes: Wishes


class Stepper:
    """A network with its optimiser and its moving average.

    Attributes:
        network: on the device, in training mode.
        average: the weights that are validated and saved.
        micro_batch: samples on the device at once; it halves when memory runs out.
    """

    def __init__(
        self,
        settings: TrainSettings,
        start: Start,
        accelerator: Any,
        say: Callable[[str], None] = print,
    ) -> None:
        self.settings, self.start, self.accelerator, self.say = settings, start, accelerator, say
        self.world = accelerator.num_processes
        if settings.batch_size % self.world:
            raise UserError(
                f"--batch-size {settings.batch_size} cannot be shared by {self.world} processes; "
                "make it a multiple."
            )
        share = settings.batch_size // self.world
        self.micro_batch = min(settings.micro_batch or share, share)
        self.network = start.network.to(accelerator.device).train()
        if settings.channels_last:
            self.network = self.network.to(memory_format=torch.channels_last)
        if settings.gradient_checkpointing:
            recompute_activations(self.network)
        groups = parameter_groups(self.network, settings, start.fresh_stages)
        self.optimizer = accelerator.prepare_optimizer(make_optimizer(settings, groups))
        if self.world > 1:
            self.share_weights()
        self.average = MovingAverage(self.network, settings.ema)
        self.frozen: bool | None = None

    def step(
        self, batch: Batch, number: int, rate: float, wishes: Wishes | None = None
    ) -> StepResult:
        """One optimiser step on this process's share of a batch.

        Args:
            number: of the step, from 0.
            rate: learning rate before the groups' multipliers.
            wishes: this process's.

        Raises:
            UserError: the loss or its gradient is not finite, or one sample does not fit into
                memory; the weights are as before.
        """
        wishes = wishes or Wishes()
        set_rate(self.optimizer, rate)
        terms = self.accumulate_fitting(batch)
        if self.world > 1:
            self.average_gradients()
        flags = terms.pafs.new_tensor([wishes.stop, wishes.save])
        numbers = torch.cat([terms.total.reshape(1), terms.pafs, terms.heatmaps, flags])
        loss, *fields, stop, save = self.accelerator.reduce(numbers, "mean").tolist()
        if not math.isfinite(loss):
            bad = (~terms.per_sample.isfinite()).nonzero().flatten().tolist()
            self.stop_not_finite("loss", number, [batch.names[i] for i in bad])
        norm = self.clip()
        # With fp16 the scaler skips such a step by itself.
        if not math.isfinite(norm) and self.accelerator.scaler is None:
            self.stop_not_finite("gradient", number, list(batch.names))
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update(self.network, number)
        half = len(fields) // 2
        return StepResult(
            loss,
            tuple(fields[:half]),
            tuple(fields[half:]),
            norm,
            Wishes(stop > 0, save > 0),
        )

    def clip(self) -> float:
        """Clips the gradient where that is wanted, and returns the norm it had.

        It is 0 where nothing is clipped and fp16's scaler looks for infinities by itself.
        """
        parameters = [p for p in self.network.parameters() if p.grad is not None]
        if not self.settings.clip_norm:
            if self.accelerator.scaler is not None:
                return 0.0
            return float(torch.nn.utils.get_total_norm([p.grad for p in parameters]))
        return float(self.accelerator.clip_grad_norm_(parameters, self.settings.clip_norm))

    def stop_not_finite(self, what: str, number: int, names: list[str]) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        names = list(dict.fromkeys(gathered(names)))
        raise UserError(
            f"The {what} of step {number + 1} is not finite, with the images {', '.join(names)}. "
            "The last checkpoint is kept: lower --learning-rate, or check these images' "
            "annotations."
        )

    def accumulate_fitting(self, batch: Batch) -> LossTerms:
        """`accumulate`, with smaller micro-batches as often as memory runs out."""
        while True:
            try:
                return self.accumulate(batch)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                reason = first_line(error)
            # Outside of the handler, where the failed graph is no longer held by the error.
            self.halve_micro_batch(reason)

    def halve_micro_batch(self, reason: str) -> None:
        """Makes room for another try.

        Args:
            reason: what the device said.

        Raises:
            UserError: one sample was too much.
        """
        self.optimizer.zero_grad(set_to_none=True)
        gc.collect()
        on_gpu = self.accelerator.device.type == "cuda"
        if on_gpu:
            torch.cuda.empty_cache()
        if self.micro_batch == 1:
            raise UserError(
                "Not even one sample fits into memory; add --gradient-checkpointing or "
                f"--precision {half_precision(not on_gpu)} (the device said: {reason})."
            )
        before, self.micro_batch = self.micro_batch, self.micro_batch // 2
        self.say(
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
        images = self.start.preprocessing(images)
        if self.settings.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        shift = batch.keypoints.new_tensor([*self.start.shift, 0.0])
        targets = make_targets(
            batch.keypoints + shift,
            batch.masks.shape[1:],
            self.settings.sigma,
            self.settings.paf_width,
        )
        weight = batch.masks / 255
        if batch.teacher is not None:
            share = self.settings.teacher_share
            targets, weight = blended(targets, weight, batch.teacher, share)
        with self.accelerator.autocast():
            stages = self.network(images)
        return field_loss(stages, targets, weight, self.settings.reduction)

    def freeze(self, frozen: bool) -> None:
        """Holds or releases the front end."""
        if frozen == self.frozen:
            return
        self.frozen = frozen
        for module in front_end(self.network):
            module.requires_grad_(not frozen)
            module.train(not frozen)

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
        """The mean of all processes' batch-norm statistics, for the network and its average."""
        if self.world > 1:
            for name, value in self.network.named_buffers():
                if value.is_floating_point():
                    value.copy_(self.accelerator.reduce(value.clone(), "mean"))
                    self.average.state[name].copy_(value)

    def state(self) -> dict[str, Any]:
        """What has to be kept to go on."""
        scaler = self.accelerator.scaler
        return {
            "micro_batch": self.micro_batch,
            "network": self.network.state_dict(),
            "average": self.average.state,
            "optimizer": self.optimizer.state_dict(),
            "scaler": scaler.state_dict() if scaler is not None else None,
            "random": random_state(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Takes over what `state` gave.

        Raises:
            UserError: it is of another network.
        """
        try:
            self.network.load_state_dict(state["network"])
        except RuntimeError:
            raise UserError("The checkpoint is of another network; start a new run.") from None
        self.average.load(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.accelerator.scaler is not None and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        if self.settings.micro_batch is None:
            self.micro_batch = min(self.micro_batch, state["micro_batch"])
        restore_random(state["random"])


def random_state() -> dict[str, Any]:
    """The states of torch's generators; everything about samples comes from the seed instead."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def restore_random(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["cpu"])
    if state["cuda"] and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["cuda"])
