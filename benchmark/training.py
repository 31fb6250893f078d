"""python -m benchmark training: the cost of a sample and, with --steps, of a training step.

Samples are made one after the other on one core, as in one loader process; a step runs on the
training device with all the options of a training.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from statistics import mean, median

import cv2
import torch

from benchmark.timing import Row, table_text, timed
from pose.errors import UserError
from train.data.dataset import CropDataset, collate
from train.data.order import Order
from train.data.read import chosen_data
from train.data.targets import make_targets
from train.options import add_options, from_mapping
from train.settings import TrainSettings


def measure_loader(settings: TrainSettings, samples: int = 200) -> list[Row]:
    """Milliseconds of one core per sample, over the first samples of the first epoch."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    data = chosen_data(settings)
    dataset = CropDataset(data, settings)
    draws = Order(len(dataset), samples, settings.seed).epoch(0)[0]
    paths = [data.samples[draw.index].image.path for draw in draws]
    reading = [timed(partial(cv2.imread, str(path)))[0] for path in paths]
    made = [timed(partial(dataset.sample, draw)) for draw in draws]
    making = [seconds for seconds, _ in made]
    collating = drawing = 0.0
    for first in range(0, samples, settings.batch_size):
        group = [sample for _, sample in made[first : first + settings.batch_size]]
        seconds, batch = timed(partial(collate, group))
        rows, columns = batch.masks.shape[1:]
        collating += seconds
        drawing += timed(partial(make_targets, batch.keypoints, (rows, columns)))[0]
    table = f"{samples} samples, one core"
    return [
        Row(table, "JPEG to tensors, mean", 1e3 * mean(making), "ms"),
        Row(table, "JPEG to tensors, median", 1e3 * median(making), "ms"),
        Row(table, "reading the JPEG alone, at full size", 1e3 * mean(reading), "ms"),
        Row(table, "collating", 1e3 * collating / samples, "ms"),
        Row(table, "target maps, on this CPU", 1e3 * drawing / samples, "ms"),
    ]


def measure_training(
    settings: TrainSettings, steps: int, memory_gb: float | None = None
) -> list[Row]:
    """Optimizer steps on one batch, without loading; nothing is saved.

    Args:
        steps: how many to measure, after one to warm up.
        memory_gb: limit PyTorch to this much of the GPU's memory.

    Raises:
        UserError: the options cannot be used.
    """
    from train.distributed import make_accelerator, memory_in_use
    from train.kept_memory import keep_freed_memory
    from train.network import initial_network
    from train.stepper import Stepper

    accelerator = make_accelerator(settings)
    if memory_gb is not None:
        limit_memory(accelerator.device, memory_gb)
    dataset = CropDataset(chosen_data(settings), settings)
    draws = Order(len(dataset), settings.batch_size, settings.seed).epoch(0)[0]
    batch = collate([dataset.sample(draw) for draw in draws])
    log = partial(print, file=sys.stderr)
    stepper = Stepper(settings, initial_network(settings), accelerator, steps + 1, log)
    table = f"{steps} steps of {settings.batch_size} on {accelerator.device.type}"

    def speed() -> float:
        # A step returns numbers on the CPU, so it has waited for the GPU.
        seconds = [timed(partial(stepper.step, batch))[0] for _ in range(steps + 1)]
        return settings.batch_size / mean(seconds[1:])

    plain = speed()
    note = f"{stepper.micro_batch} samples at once"
    rows = [Row(table, "optimizer step", plain, "images/s", note=note)]
    if accelerator.device.type == "cpu":
        keep_freed_memory()
        kept = speed()
        rows = [
            Row(table, "optimizer step", kept, "images/s", kept / plain, note),
            Row(table, "without keeping freed memory", plain, "images/s", 1.0),
        ]
    return [*rows, Row(table, "peak memory", memory_in_use(accelerator.device), "GB")]


def limit_memory(device: torch.device, gigabytes: float) -> None:
    """Limits this process to so much of the GPU's memory.

    Raises:
        UserError: there is no GPU.
    """
    if device.type != "cuda":
        raise UserError("--memory-gb limits a GPU, and there is none: leave it out")
    # Accelerate's device has an index only with several processes.
    index = torch.cuda.current_device()
    total = torch.cuda.get_device_properties(index).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, gigabytes * 2**30 / total), index)


def run(argv: Sequence[str]) -> int:
    """Measures and prints.

    Raises:
        UserError: the options cannot be used.
    """
    parser = argparse.ArgumentParser(
        prog="python -m benchmark training",
        description="Times the loader on one core, or training steps on the device. The other "
        "options are those of python -m train; --output is not needed.",
    )
    add_options(parser)
    parser.add_argument("--samples", type=int, default=200, help="Samples to load. [200]")
    parser.add_argument("--steps", type=int, help="Measure this many training steps instead.")
    parser.add_argument(
        "--memory-gb", type=float, help="With --steps: limit PyTorch to this much of the GPU."
    )
    options = vars(parser.parse_args(argv))
    samples, steps, memory_gb = (options.pop(name) for name in ("samples", "steps", "memory_gb"))
    if samples < 1 or (steps is not None and steps < 1):
        raise UserError("--samples and --steps must be at least 1")
    settings = from_mapping({"output": ".", **options})
    if steps is None:
        print(table_text(measure_loader(settings, samples)))
    else:
        print(table_text(measure_training(settings, steps, memory_gb)))
    return 0
