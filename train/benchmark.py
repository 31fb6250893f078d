"""`python -m train.benchmark`: what a training sample costs, from the JPEG to tensors.

One core, one sample after the other, as one loader process works.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import cv2
import numpy as np
import torch

from pose.errors import UserError
from train.coco import read_names, take_slice
from train.dataset import CropDataset, Order, collate
from train.settings import TrainSettings, add_options, from_mapping
from train.sources import read_split
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
    data = take_slice(
        read_split(settings.data, settings.train_split),
        settings.fraction,
        settings.max_images,
        settings.seed,
        read_names(settings.image_list),
    )
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


def timed(work):
    """Seconds of a call and its result."""
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 2 for a user's mistake."""
    parser = argparse.ArgumentParser(
        prog="python -m train.benchmark",
        description="Time the loader on one core. The options are those of python -m train; "
        "--output is not needed.",
    )
    add_options(parser)
    parser.add_argument("--samples", type=int, default=200, help="How many. [200]")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    arguments = vars(parser.parse_args(argv))
    samples, as_json = arguments.pop("samples"), arguments.pop("json")
    try:
        if samples < 1:
            raise UserError("--samples must be at least 1.")
        cost = measure(from_mapping({"output": ".", **arguments}), samples)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    if as_json:
        print(json.dumps(asdict(cost)))
        return 0
    print(f"{cost.samples} samples, milliseconds of one core per sample:")
    print(f"  JPEG to tensors   mean {cost.mean:.2f}  median {cost.median:.2f}")
    print(f"  reading the JPEG alone, at full size   {cost.read:.2f}")
    print(f"  putting samples side by side           {cost.collate:.2f}")
    print(f"  target maps, on this CPU               {cost.targets:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
