"""One optimizer step: the gradient of a batch in whatever memory there is, over all processes."""

from __future__ import annotations

import copy
import gc
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from pose.engines.out_of_memory import first_line, is_out_of_memory
from pose.errors import UserError
from pose.networks.build import PoseNetwork
from train.centred import uncentred
from train.data.dataset import Batch, jittered
from train.data.targets import make_targets
from train.distributed import average_gradients, gathered, half_precision, memory_in_use
from train.loss import LossTerms, field_loss
from train.network import InitialNetwork, front_end, recompute_activations
from train.optimizer import make_average, make_optimizer, make_schedule
from train.settings import TrainSettings
from train.teacher import Teacher, blended


@dataclass(frozen=True)
class StepResult:
    """One optimizer step, over all processes.

    Attributes:
        loss: the mean over the batch, summed over stages and fields.
        pafs, heatmaps: its terms per stage.
        gradient_norm: before clipping.
        learning_rate: before the factors of parameter groups.
        memory_gb: peak on the GPU, or of this process on the CPU.
        stop, save: whether any process asked to end the training, or to write a checkpoint.
    """

    loss: float
    pafs: tuple[float, ...]
    heatmaps: tuple[float, ...]
    gradient_norm: float
    learning_rate: float
    memory_gb: float
    stop: bool
    save: bool


class Stepper:
    """A network with its optimizer and its moving average.

    Attributes:
        network: on the device, in training mode.
        average: the moving average of its weights, which is validated and saved.
        micro_batch: samples on the device at once; it halves when memory runs out.
    """

    def __init__(
        self,
        settings: TrainSettings,
        initial: InitialNetwork,
        accelerator: Any,
        total_steps: int,
        say: Callable[[str], None] = print,
        teacher: Teacher | None = None,
    ) -> None:
        self.settings, self.initial, self.teacher, self.say = settings, initial, teacher, say
        self.accelerator, world = accelerator, accelerator.num_processes
        if settings.batch_size % world:
            raise UserError(
                f"--batch-size {settings.batch_size} cannot be shared by {world} processes; "
                "make it a multiple."
            )
        share = settings.batch_size // world
        self.micro_batch = min(settings.micro_batch or share, share)
        self.started = (
            [p.detach().clone() for p in initial.network.parameters()]
            if settings.keep_start
            else []
        )
        self.network = initial.network.to(accelerator.device).train()
        self.network = self.network.to(memory_format=torch.channels_last)
        self.average = make_average(self.network, settings.ema)
        if settings.gradient_checkpointing:
            recompute_activations(self.network)
        optimizer = make_optimizer(self.network, settings, initial.fresh_stages)
        self.schedule = make_schedule(optimizer, settings, total_steps)
        self.optimizer = accelerator.prepare_optimizer(optimizer)
        self.frozen: bool | None = None

    def step(self, batch: Batch, *, stop: bool = False, save: bool = False) -> StepResult:
        """One optimizer step on this process's share of a batch.

        Args:
            stop, save: what this process asks for, see `StepResult`.

        Raises:
            UserError: the loss or its gradient is not finite, or one sample does not fit into
                memory; the weights are as before.
        """
        terms = self.accumulate_fitting(batch)
        average_gradients(self.accelerator, self.network)
        flags = terms.pafs.new_tensor([stop, save])
        numbers = torch.cat([terms.total.reshape(1), terms.pafs, terms.heatmaps, flags])
        loss, *fields, any_stop, any_save = self.accelerator.reduce(numbers, "mean").tolist()
        if not math.isfinite(loss):
            bad = (~terms.per_sample.isfinite()).nonzero().flatten().tolist()
            self.stop_not_finite("loss", [batch.names[i] for i in bad])
        limit = self.settings.clip or math.inf
        norm = float(self.accelerator.clip_grad_norm_(self.network.parameters(), limit))
        # With fp16 the scaler skips such a step by itself.
        if not math.isfinite(norm) and self.accelerator.scaler is None:
            self.stop_not_finite("gradient", list(batch.names))
        factor = self.schedule.lr_lambdas[0](self.schedule.last_epoch)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.schedule.step()
        self.average.update_parameters(self.network)
        half = len(fields) // 2
        return StepResult(
            loss,
            tuple(fields[:half]),
            tuple(fields[half:]),
            norm,
            self.settings.learning_rate * factor,
            memory_in_use(self.accelerator.device),
            any_stop > 0,
            any_save > 0,
        )

    def stop_not_finite(self, what: str, names: list[str]) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        names = list(dict.fromkeys(gathered(names)))
        raise UserError(
            f"The {what} of step {self.schedule.last_epoch + 1} is not finite, with the images "
            f"{', '.join(names)}. The last checkpoint is kept: lower --learning-rate, or check "
            "these images' annotations."
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
            # Outside of the handler, where the error no longer holds the failed graph.
            self.halve_micro_batch(reason)

    def halve_micro_batch(self, reason: str) -> None:
        """Makes room for another try.

        Args:
            reason: the device's message.

        Raises:
            UserError: one sample was too much.
        """
        self.optimizer.zero_grad(set_to_none=True)
        gc.collect()
        on_gpu = self.accelerator.device.type == "cuda"
        torch.cuda.empty_cache()
        if self.micro_batch == 1:
            raise UserError(
                "Not even one sample fits into memory; add --gradient-checkpointing or "
                f"--precision {half_precision(not on_gpu)} (the device said: {reason})."
            )
        before, self.micro_batch = self.micro_batch, self.micro_batch // 2
        self.say(
            f"Out of memory with {before} samples at once: trying {self.micro_batch}, with "
            f"gradients accumulated to the batch of {self.settings.batch_size}."
        )

    def accumulate(self, batch: Batch) -> LossTerms:
        """Gradients of the mean loss of a batch, one micro-batch at a time."""
        self.optimizer.zero_grad(set_to_none=True)
        samples, pafs, heatmaps = [], [], []
        for first in range(0, len(batch), self.micro_batch):
            micro = batch[first : first + self.micro_batch].to(self.accelerator.device)
            terms = self.losses(micro)
            weight = len(micro) / len(batch)
            self.accelerator.backward(terms.total * weight)
            samples.append(terms.per_sample.detach())
            pafs.append(weight * terms.pafs)
            heatmaps.append(weight * terms.heatmaps)
        return LossTerms(torch.cat(samples), torch.stack(pafs).sum(0), torch.stack(heatmaps).sum(0))

    def losses(self, batch: Batch) -> LossTerms:
        """The forward pass of samples that are on the device."""
        images = self.initial.preprocessing(jittered(batch.images, batch.jitter))
        shift = batch.keypoints.new_tensor([*self.initial.shift, 0.0])
        rows, columns = batch.masks.shape[1:]
        targets = make_targets(batch.keypoints + shift, (rows, columns))
        weight = batch.masks / 255
        with self.accelerator.autocast():
            if self.teacher is not None:
                seen = self.teacher(batch.images, self.initial.shift)
                targets, weight = blended(targets, weight, seen, self.settings.teacher_share)
            stages = self.network(images.contiguous(memory_format=torch.channels_last))
        return field_loss(stages, targets, weight)

    def freeze(self, frozen: bool) -> None:
        """Freezes or releases the front end."""
        if frozen == self.frozen:
            return
        self.frozen = frozen
        for module in front_end(self.network):
            module.requires_grad_(not frozen)
            module.train(not frozen)

    def averaged_network(self) -> PoseNetwork:
        """The network to validate and save, on the CPU: the average, mixed with `keep_start`."""
        network: PoseNetwork = copy.deepcopy(self.average.module)  # type: ignore[assignment]
        network = network.cpu().requires_grad_(False)
        for value, started in zip(network.parameters(), self.started, strict=False):
            value.lerp_(started, self.settings.keep_start or 0.0)
        return uncentred(network).eval().requires_grad_(False)

    def state(self) -> dict[str, Any]:
        """What resuming needs; there is no randomness but in the samples, which have the seed."""
        scaler = self.accelerator.scaler
        return {
            "micro_batch": self.micro_batch,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": scaler.state_dict() if scaler is not None else None,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Restores what `state` returned.

        Raises:
            UserError: it is of another network.
        """
        try:
            self.network.load_state_dict(state["network"])
        except RuntimeError:
            raise UserError("The checkpoint is of another network; start a new run.") from None
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        if self.accelerator.scaler is not None and state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        if self.settings.micro_batch is None:
            self.micro_batch = min(self.micro_batch, state["micro_batch"])
