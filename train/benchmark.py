"""`python -m train.benchmark`: what a sample and, with --steps, a training step cost.

A sample is measured on one core, one after the other, as one loader process works; a step on the
training device with all the options of a training.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial

import cv2
import numpy as np
import torch

from pose.errors import UserError
from train.dataset import CropDataset, Order, collate
from train.settings import TrainSettings, add_options, from_mapping
from train.sources import chosen_data
from train.targets import make_targets


@dataclass(frozen=True)
class LoaderCost:
    """Milliseconds of one core per sample.

    Attributes:
        samples: how many were made.
        mean, median, worst: of a sample: read, decode, warp, keypoints, mask.
        read: mean of reading and decoding the JPEG at full size alone, for comparison.
        collate: mean of putting samples side by side.
        targets: mean of making the target maps, done on the training device.
    """

    samples: int
    mean: float
    median: float
    worst: float
    read: float
    collate: float
    targets: float


def measure(settings: TrainSettings, samples: int = 200) -> LoaderCost:
    """Times the loader's work on the first samples of the first epoch."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    data = chosen_data(settings)
    dataset = CropDataset(data, settings)
    draws = Order(len(dataset), samples, settings.seed).epoch(0)[0]
    paths = [data.images[data.samples[d.index].image].path for d in draws]
    reading = [timed(lambda path=path: cv2.imread(str(path)))[0] for path in paths]
    made = [timed(lambda draw=draw: dataset[draw]) for draw in draws]
    costs = [seconds for seconds, _ in made]
    collating, drawing = [], []
    for first in range(0, samples, settings.batch_size):
        group = [sample for _, sample in made[first : first + settings.batch_size]]
        seconds, batch = timed(lambda group=group: collate(group))
        collating.append(seconds)
        drawing.append(
            timed(lambda batch=batch: make_targets(batch.keypoints, batch.masks.shape[1:]))[0]
        )
    return LoaderCost(
        samples,
        1e3 * float(np.mean(costs)),
        1e3 * float(np.median(costs)),
        1e3 * float(np.max(costs)),
        1e3 * float(np.mean(reading)),
        1e3 * sum(collating) / samples,
        1e3 * sum(drawing) / samples,
    )


@dataclass(frozen=True)
class TrainingSpeed:
    """What training costs on the device, without loading.

    Attributes:
        images_per_second: over the measured steps, the first left out.
        peak_memory_gb: on the GPU, or of the process on the CPU.
        micro_batch: samples at once that fit.
    """

    images_per_second: float
    peak_memory_gb: float
    micro_batch: int


def measure_training(
    settings: TrainSettings, steps: int, memory_gb: float | None = None
) -> TrainingSpeed:
    """Times optimiser steps on one batch; nothing is kept.

    Args:
        steps: measured steps, after one to warm up.
        memory_gb: give PyTorch only so much of the GPU.

    Raises:
        UserError: the options cannot be used.
    """
    from train.initial import make_start
    from train.processes import make_accelerator, memory_in_use
    from train.stepper import Stepper

    accelerator = make_accelerator(settings)
    device = accelerator.device
    if memory_gb is not None:
        limit_memory(device, memory_gb)
    dataset = CropDataset(chosen_data(settings), settings)
    draws = Order(len(dataset), settings.batch_size, settings.seed).epoch(0)[0]
    batch = collate([dataset[draw] for draw in draws])
    say = partial(print, file=sys.stderr)
    stepper = Stepper(settings, make_start(settings), accelerator, say)
    stepper.step(batch, 0, settings.peak_rate)
    # A step ends with a number on the CPU, so nothing is left running on the GPU.
    seconds = [
        timed(lambda i=i: stepper.step(batch, i, settings.peak_rate))[0]
        for i in range(1, steps + 1)
    ]
    return TrainingSpeed(
        settings.batch_size / float(np.mean(seconds)),
        memory_in_use(device),
        stepper.micro_batch,
    )


def limit_memory(device: torch.device, gigabytes: float) -> None:
    """Gives PyTorch only so much of the GPU of this process.

    Raises:
        UserError: there is no GPU.
    """
    if device.type != "cuda":
        raise UserError("--memory-gb limits a GPU; there is none.")
    # Accelerate's device has a number only where several processes train.
    index = torch.cuda.current_device()
    whole = torch.cuda.get_device_properties(index).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, gigabytes * 2**30 / whole), index)


def timed(work):
    """Seconds of a call and its result."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 2 for a user's mistake."""
    parser = argparse.ArgumentParser(
        prog="python -m train.benchmark",
        description="Time the loader on one core, or training steps on the device. The other "
        "options are those of python -m train; --output is not needed.",
    )
    add_options(parser)
    parser.add_argument("--samples", type=int, default=200, help="How many. [200]")
    parser.add_argument("--steps", type=int, help="Measure so many training steps instead.")
    parser.add_argument(
        "--memory-gb", type=float, help="With --steps: give PyTorch only so much of the GPU."
    )
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    arguments = vars(parser.parse_args(argv))
    samples, as_json = arguments.pop("samples"), arguments.pop("json")
    steps, memory_gb = arguments.pop("steps"), arguments.pop("memory_gb")
    try:
        if min(samples, 1 if steps is None else steps) < 1:
            raise UserError("--samples and --steps must be at least 1.")
        settings = from_mapping({"output": ".", **arguments})
        if steps is not None:
            cost = measure_training(settings, steps, memory_gb)
        else:
            cost = measure(settings, samples)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(asdict(cost)) if as_json else report(cost))
    return 0


def report(cost: LoaderCost | TrainingSpeed) -> str:
    """The figures for people."""
    if isinstance(cost, TrainingSpeed):
        return (
            f"{cost.images_per_second:.2f} images/s, {cost.micro_batch} samples at once, peak "
            f"memory {cost.peak_memory_gb:.2f} GB"
        )
    return (
        f"{cost.samples} samples, milliseconds of one core per sample:\n"
        f"  JPEG to tensors   mean {cost.mean:.2f}  median {cost.median:.2f}\n"
        f"  reading the JPEG alone, at full size   {cost.read:.2f}\n"
        f"  putting samples side by side           {cost.collate:.2f}\n"
        f"  target maps, on this CPU               {cost.targets:.2f}"
    )


if __name__ == "__main__":
    sys.exit(main())
