"""Samples as tensors for the loader's processes, and the order in which they come.

What a sample looks like is a function of (seed, epoch, place in the epoch) alone, so the number
of loader processes, of training processes and a restart in the middle change nothing.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing import parent_process

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from pose.errors import UserError
from pose.geometry import STRIDE
from pose.skeleton import NUM_KEYPOINTS
from train.augment import draw_warp, near_crop, warp_encoded, warp_keypoints
from train.coco import TrainingData
from train.masks import ignore_mask
from train.settings import TrainSettings
from train.teacher import Teacher

MAX_REPLACEMENTS = 100
"""So many unreadable images in a row are taken for a broken disk, not for single bad files."""


@dataclass(frozen=True)
class Draw:
    """One sample to make: its epoch, its place in the epoch's order, and which person it is of."""

    epoch: int
    position: int
    index: int


@dataclass(frozen=True)
class Sample:
    """One augmented crop.

    Attributes:
        image: RGB uint8 (crop, crop, 3).
        mask: uint8 (crop / 8, crop / 8), 255 where labels can be trusted.
        keypoints: float32 (P, 18, 3) in crop pixels, NaN and 0 where missing.
        jitter: float32 (3,), factors of brightness, contrast, saturation.
        teacher: float16 (57, crop / 8, crop / 8), a teacher's PAFs and heatmaps; None without one.
        name: the image file's name.
        problems: "name: reason" of images that could not be read and were replaced by this one.
    """

    image: np.ndarray
    mask: np.ndarray
    keypoints: np.ndarray
    jitter: np.ndarray
    teacher: np.ndarray | None
    name: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Batch:
    """Samples side by side.

    Attributes:
        images: RGB uint8 (N, crop, crop, 3).
        masks: uint8 (N, crop / 8, crop / 8), 255 where labels can be trusted.
        keypoints: float32 (N, P, 18, 3) in crop pixels, padded with NaN.
        jitter: float32 (N, 3), factors of brightness, contrast, saturation.
        teacher: float16 (N, 57, crop / 8, crop / 8), a teacher's PAFs and heatmaps, or None.
        names: image files.
        problems: of the samples.
    """

    images: torch.Tensor
    masks: torch.Tensor
    keypoints: torch.Tensor
    jitter: torch.Tensor
    teacher: torch.Tensor | None
    names: tuple[str, ...]
    problems: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, part: slice) -> Batch:
        return replace(self.each(lambda tensor: tensor[part]), names=self.names[part])

    def to(self, device: torch.device) -> Batch:
        return self.each(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> Batch:
        return self.each(torch.Tensor.pin_memory)

    def each(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Batch:
        """A batch with every tensor changed."""
        tensors = {k: v for k, v in vars(self).items() if isinstance(v, torch.Tensor)}
        return replace(self, **{name: change(tensor) for name, tensor in tensors.items()})


class CropDataset(Dataset):
    """Makes the sample of a `Draw`."""

    def __init__(
        self, data: TrainingData, settings: TrainSettings, teacher: Teacher | None = None
    ) -> None:
        self.data = data
        self.settings = settings
        self.teacher = teacher

    def __len__(self) -> int:
        return len(self.data.samples)

    def __getitem__(self, draw: Draw) -> Sample:
        """The sample; where its image cannot be read, the next readable one in its place.

        Raises:
            UserError: too many images in a row cannot be read.
        """
        problems: list[str] = []
        for step in range(min(len(self), MAX_REPLACEMENTS)):
            tried = replace(draw, index=(draw.index + step) % len(self))
            labels = self.data.images[self.data.samples[tried.index].image]
            try:
                return replace(self.make(tried), problems=tuple(dict.fromkeys(problems)))
            except (OSError, ValueError) as error:
                problems.append(f"{labels.path.name}: {error}")
        raise UserError(f"No image can be read, for instance {problems[0]}; check the data folder.")

    def make(self, draw: Draw) -> Sample:
        """Reads, warps and draws one sample."""
        person = self.data.samples[draw.index]
        labels = self.data.images[person.image]
        rng = np.random.default_rng((self.settings.seed, 1, draw.epoch, draw.position))
        warp = draw_warp(rng, labels, person, self.settings)
        jitter = 1 + self.settings.color_jitter * rng.uniform(-1, 1, 3)
        image = warp_encoded(labels.path.read_bytes(), warp, labels.size)
        keypoints = near_crop(
            warp_keypoints(labels.keypoints, warp), warp.crop, 4 * self.settings.sigma
        )
        mask = ignore_mask(labels, warp.matrix, warp.crop // STRIDE, STRIDE)
        taught = self.teacher.crop(labels, warp) if self.teacher else None
        return Sample(image, mask, keypoints, jitter.astype(np.float32), taught, labels.path.name)


def collate(samples: Sequence[Sample]) -> Batch:
    """Puts samples side by side."""
    people = max(1, *(len(s.keypoints) for s in samples))
    keypoints = np.full((len(samples), people, NUM_KEYPOINTS, 3), np.nan, np.float32)
    for row, sample in zip(keypoints, samples, strict=True):
        row[: len(sample.keypoints)] = sample.keypoints
    return Batch(
        torch.from_numpy(np.stack([s.image for s in samples])),
        torch.from_numpy(np.stack([s.mask for s in samples])),
        torch.from_numpy(keypoints),
        torch.from_numpy(np.stack([s.jitter for s in samples])),
        None
        if samples[0].teacher is None
        else torch.from_numpy(np.stack([s.teacher for s in samples])),
        tuple(s.name for s in samples),
        tuple(p for s in samples for p in s.problems),
    )


def jittered(images: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
    """Colour jitter on the device.

    Args:
        images: RGB uint8 (N, H, W, 3).
        factors: (N, 3) of brightness, contrast (about the mean grey), saturation (about grey).

    Returns:
        float32 (N, H, W, 3) in 0..255.
    """
    brightness, contrast, saturation = factors.view(-1, 1, 1, 3).split(1, -1)
    x = images.float() * brightness
    luma = torch.tensor([0.299, 0.587, 0.114], device=images.device)
    grey = (x * luma).sum(-1, keepdim=True)
    x = grey + (x - grey) * saturation
    mean = grey.mean((1, 2), keepdim=True)
    return (mean + (x - mean) * contrast).clamp(0, 255)


@dataclass(frozen=True)
class Order:
    """The order of samples: a permutation an epoch, filled up from its start to whole batches.

    Attributes:
        samples: how many there are.
        batch_size: samples of an optimiser step over all processes.
        seed: chooses the permutations.
    """

    samples: int
    batch_size: int
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.samples // self.batch_size)

    def epoch(self, epoch: int) -> list[list[Draw]]:
        """An epoch's batches."""
        permutation = np.random.default_rng((self.seed, 2, epoch)).permutation(self.samples)
        total = self.steps_per_epoch * self.batch_size
        draws = [Draw(epoch, i, int(permutation[i % self.samples])) for i in range(total)]
        size = self.batch_size
        return [draws[i : i + size] for i in range(0, total, size)]

    def batches(self, start: int, stop: int, rank: int, world: int) -> Iterator[list[Draw]]:
        """One process's shares of the steps `start` to `stop` (counted over all epochs)."""
        batches: list[list[Draw]] = []
        for step in range(start, stop):
            epoch, place = divmod(step, self.steps_per_epoch)
            if step == start or place == 0:
                batches = self.epoch(epoch)
            yield batches[place][rank::world]


class Shares:
    """An `Order`'s batches in the form a DataLoader wants."""

    def __init__(self, order: Order, start: int, stop: int, rank: int, world: int) -> None:
        self.arguments = (start, stop, rank, world)
        self.order = order

    def __iter__(self) -> Iterator[list[Draw]]:
        return self.order.batches(*self.arguments)

    def __len__(self) -> int:
        return self.arguments[1] - self.arguments[0]


def make_loader(
    dataset: CropDataset, shares: Shares, workers: int, pin_memory: bool = False
) -> DataLoader:
    """A loader of whole `Batch`es."""
    return DataLoader(
        dataset,
        batch_sampler=shares,
        num_workers=workers,
        collate_fn=collate,
        worker_init_fn=quiet_worker,
        pin_memory=pin_memory,
        prefetch_factor=4 if workers else None,
    )


def quiet_worker(_: int) -> None:
    """A loader process uses one core and leaves Ctrl-C to the training process."""
    cv2.setNumThreads(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_the_training, daemon=True).start()


def end_with_the_training() -> None:
    """Ends this loader when the training is killed, which then cannot.

    PyTorch looks whether the parent is still the same, and with a fork server it stays the same.
    """
    parent_process().join()
    os._exit(1)
