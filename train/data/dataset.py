"""Augmented samples as tensors, made in the loader's processes.

A sample is a function of (seed, epoch, position in the epoch) alone, so the number of loader
processes, of training processes and a restart in the middle change nothing.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from multiprocessing import parent_process
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from pose.errors import UserError
from pose.geometry import STRIDE
from pose.skeleton import NUM_KEYPOINTS
from train.data.augment import draw_warp, near_crop, warp_encoded, warp_keypoints
from train.data.masks import ignore_mask
from train.data.order import Draw
from train.data.samples import TrainingData
from train.data.targets import SIGMA
from train.settings import TrainSettings

MAX_REPLACEMENTS = 100
"""Unreadable images in a row after which the data folder is considered broken."""


@dataclass(frozen=True)
class Sample:
    """One augmented crop.

    Attributes:
        image: RGB uint8 (crop, crop, 3).
        mask: uint8 (crop / 8, crop / 8), 255 where labels can be trusted.
        keypoints: float32 (P, 18, 3) in crop pixels, NaN and 0 where missing.
        jitter: float32 (3,), factors of brightness, contrast, saturation.
        name: the image file's name.
        problems: "name: reason" of images that could not be read and were replaced by this one.
    """

    image: np.ndarray
    mask: np.ndarray
    keypoints: np.ndarray
    jitter: np.ndarray
    name: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Batch:
    """N samples, stacked; their keypoints are padded with NaN to (N, P, 18, 3)."""

    images: torch.Tensor
    masks: torch.Tensor
    keypoints: torch.Tensor
    jitter: torch.Tensor
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
        """A batch with `change` applied to every tensor."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        tensors = {k: change(v) for k, v in values.items() if isinstance(v, torch.Tensor)}
        return replace(self, **tensors)  # type: ignore[arg-type]


class CropDataset(Dataset):
    """Makes the sample of a `Draw`."""

    def __init__(self, data: TrainingData, settings: TrainSettings) -> None:
        self.data = data
        self.settings = settings

    def __len__(self) -> int:
        return len(self.data.samples)

    def __getitem__(self, draw: Draw) -> Sample | UserError:
        """`sample`; a loader's process would wrap its error in a traceback, so it is returned."""
        try:
            return self.sample(draw)
        except UserError as error:
            return error

    def sample(self, draw: Draw) -> Sample:
        """The sample; where its image cannot be read, the next readable one in its place.

        Raises:
            UserError: too many images in a row cannot be read.
        """
        problems: list[str] = []
        for step in range(min(len(self), MAX_REPLACEMENTS)):
            tried = replace(draw, index=(draw.index + step) % len(self))
            try:
                return replace(self.make(tried), problems=tuple(dict.fromkeys(problems)))
            except (OSError, ValueError) as error:
                problems.append(f"{self.data.samples[tried.index].image.file_name}: {error}")
        raise UserError(f"No image can be read, for instance {problems[0]}; check the data folder.")

    def make(self, draw: Draw) -> Sample:
        """Reads, warps and draws one sample."""
        person = self.data.samples[draw.index]
        labels = person.image
        path = cast(Path, labels.path)  # `training_data` keeps images with a photo only
        rng = np.random.default_rng((self.settings.seed, 1, draw.epoch, draw.position))
        warp = draw_warp(rng, labels, person.crop, self.settings)
        jitter = 1 + self.settings.color_jitter * rng.uniform(-1, 1, 3)
        image = warp_encoded(path.read_bytes(), warp, labels.size, labels.orientation)
        keypoints = near_crop(warp_keypoints(labels.keypoints, warp), warp.crop, 4 * SIGMA)
        mask = ignore_mask(labels, warp.matrix, warp.crop // STRIDE, STRIDE)
        return Sample(image, mask, keypoints, jitter.astype(np.float32), path.name)


def collate(samples: Sequence[Sample]) -> Batch:
    """Stacks samples into a batch."""
    people = max(1, *(len(s.keypoints) for s in samples))
    keypoints = np.full((len(samples), people, NUM_KEYPOINTS, 3), np.nan, np.float32)
    for row, sample in zip(keypoints, samples, strict=True):
        row[: len(sample.keypoints)] = sample.keypoints
    return Batch(
        torch.from_numpy(np.stack([s.image for s in samples])),
        torch.from_numpy(np.stack([s.mask for s in samples])),
        torch.from_numpy(keypoints),
        torch.from_numpy(np.stack([s.jitter for s in samples])),
        tuple(s.name for s in samples),
        tuple(p for s in samples for p in s.problems),
    )


def collate_or_error(samples: Sequence[Sample | UserError]) -> Batch | UserError:
    """`collate`; an error among the samples takes the place of the batch."""
    errors = [sample for sample in samples if isinstance(sample, UserError)]
    return errors[0] if errors else collate([s for s in samples if isinstance(s, Sample)])


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


def make_loader(
    dataset: CropDataset, draws: Iterable[list[Draw]], workers: int, pin_memory: bool = False
) -> DataLoader:
    """A loader of a `Batch` for each list of `draws`, for one pass."""
    return DataLoader(
        dataset,
        batch_sampler=draws,
        num_workers=workers,
        collate_fn=collate_or_error,
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
    """Ends this loader when the training process is killed.

    PyTorch checks whether the parent has changed, and with a fork server it never does.
    """
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
