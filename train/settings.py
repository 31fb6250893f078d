"""Every option of a training run, in one dataclass; the command line is made from it."""

from __future__ import annotations

import argparse
import ast
import dataclasses
import inspect
import itertools
import json
import textwrap
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pose.errors import UserError
from pose.geometry import STRIDE

SAFE_ON_RESUME = frozenset(
    ("data", "workers", "device", "micro_batch", "checkpoint_minutes", "progress", "tensorboard")
)
"""Options that may change on resume: they move data or time, not the numbers of the run."""

DEFAULT_LEARNING_RATES = {
    ("adam", "mean"): 4e-5,
    ("adam", "sum"): 4e-5,
    ("adamw", "mean"): 4e-5,
    ("adamw", "sum"): 4e-5,
    ("sgd", "mean"): 1e-2,
    ("sgd", "sum"): 4e-5,
}
"""Adam divides the loss's scale out, so its rate (Lightweight OpenPose's) does not depend on the
reduction; SGD's does. 4e-5 with the sum is the authors' Caffe schedule."""


@dataclass(frozen=True)
class TrainSettings:
    """What to train, on what and how. A UserError is raised where two options contradict."""

    data: Path
    """A folder in COCO's layout (annotations/, train2017/, ...) or with a CMU COCO.json."""

    output: Path
    """The run directory to write; its name is the run's name."""

    train_split: str = "train2017"
    """Split to train on: annotations/person_keypoints_SPLIT.json and the folder SPLIT/."""

    val_split: str | None = None
    """Split to measure AP on every few epochs; none by default."""

    val_every: int = 1
    """Epochs between two validations."""

    val_max_images: int | None = None
    """Validate on the first so many images only; all by default."""

    fraction: float = 1.0
    """Share of the images to train on, chosen by the seed."""

    max_images: int | None = None
    """Train on at most so many images, chosen by the seed."""

    image_list: Path | None = None
    """A text file with one image file name or id a line: train on these only."""

    val_image_list: Path | None = None
    """A text file with one image file name or id a line: validate on these only."""

    network: Literal["openpose", "mobilenet-thin"] = "openpose"
    """Network to train."""

    init: str = "auto"
    """Start: imagenet (VGG-19), a catalogue name, a weights file, none, or auto (imagenet for
    openpose, the bundled weights for mobilenet-thin)."""

    epochs: int = 10
    """Passes over the training samples (one sample a main person)."""

    max_steps: int | None = None
    """Optimiser steps to train for, instead of whole epochs."""

    batch_size: int = 16
    """Samples per optimiser step, over all processes."""

    micro_batch: int | None = None
    """Samples on the device at once; gradients accumulate to the batch size. It starts at the
    whole share of a process and halves when memory runs out."""

    seed: int = 0
    """Chooses the slice, the order, the augmentation and fresh weights."""

    crop: int = 368
    """Width and height of a sample in pixels, a multiple of 8."""

    scale_min: float = 0.5
    """Smallest factor on a person's standard size (box height 0.6 of the crop)."""

    scale_max: float = 1.1
    """Largest factor on a person's standard size."""

    rotation: float = 40.0
    """Largest rotation in degrees, either way."""

    shift: float = 40.0
    """Largest shift of the crop's centre in pixels of the crop, either way."""

    flip: float = 0.5
    """Probability of mirroring a sample."""

    color_jitter: float = 0.1
    """Largest relative change of brightness, contrast and saturation; 0 turns it off."""

    whole_image: float = 0.5
    """Probability of a crop at the photo's own scale (shorter side as long as the crop, times 0.75
    to 1.25) instead of a person-centred one, as the network will be used on whole photos; 0 is the
    published way."""

    sigma: float = 7.0
    """Standard deviation of a keypoint's peak in the heatmap, in pixels of the crop."""

    paf_width: float = 1.0
    """Half width of a limb's field in cells."""

    teacher: str | None = None
    """Weights whose answers to whole photos (preset accurate: mirrored, several sizes) are targets
    beside the labels: data distillation, for few images or incomplete labels; none by default."""

    teacher_share: float = 0.5
    """Share of the loss that is the distance from the teacher; the rest is from the labels."""

    teacher_gain: float = 1.0
    """Factor on the teacher's maps, which end at 1; averages of several views are lower than what
    one view should say, and 1.4 undoes that."""

    keep_start: float = 0.0
    """Share of the starting weights in the weights that are validated and saved, the rest are the
    trained ones (WiSE-FT, arXiv 2109.01903): guards a pretrained network against few images."""

    reduction: Literal["mean", "sum"] = "mean"
    """Squared errors of a field: mean over all cells, or the authors' sum / 2 per sample."""

    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    """Optimiser; sgd has momentum 0.9."""

    learning_rate: float | None = None
    """Peak learning rate; by default the one that belongs to the optimiser and the reduction."""

    stage_multiplier: float | None = None
    """Factor on the learning rate of stages 2 to 6; by default 4 where they start fresh, and 1
    from a pose checkpoint."""

    bias_multiplier: float | None = None
    """Factor on the learning rate of biases; by default 2 for fresh stages, 1 from a checkpoint."""

    relative_rates: bool = False
    """Multiply every tensor's learning rate by the root mean square of its starting weights, for
    networks with folded batch norm, whose layers differ a thousandfold in scale; 1e-3 is then a
    usual rate."""

    weight_decay: float = 0.0
    """Weight decay, not applied to biases and norms."""

    schedule: Literal["cosine", "constant"] = "cosine"
    """Learning rate after the warm-up."""

    warmup: float = 0.05
    """Share of all steps in which the learning rate rises from 0."""

    clip: float | None = None
    """Largest norm of the gradient, 0 for none; by default 1 for mean and none for sum."""

    freeze_epochs: int = 0
    """Epochs at the start in which the front end (VGG-19's or MobileNet's layers) stays fixed."""

    ema: float = 0.999
    """Decay of the moving average of the weights that is validated and saved; 0 turns it off."""

    precision: Literal["no", "bf16", "fp16"] = "no"
    """Mixed precision."""

    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: less memory for about a third more time."""

    channels_last: bool = True
    """Channels-last memory layout, faster with mixed precision."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train."""

    workers: int = 2
    """Loader processes per training process; 0 loads in the training process."""

    checkpoint_minutes: float = 10.0
    """Minutes between checkpoints inside an epoch; 0 saves after every step."""

    log_every: int = 10
    """Optimiser steps between two lines of the log."""

    progress: bool = True
    """Show a progress bar."""

    tensorboard: bool = False
    """Write TensorBoard events into the run directory as well."""

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.crop % STRIDE:
            raise UserError(f"--crop {self.crop} must be a multiple of {STRIDE}.")
        if self.scale_min > self.scale_max:
            raise UserError("--scale-min is above --scale-max; swap them.")
        if self.init == "imagenet" and self.network != "openpose":
            raise UserError(
                "ImageNet's VGG-19 fits --network openpose only; for mobilenet-thin use "
                "--init mobilenet-thin or --init none."
            )
        if self.micro_batch is not None and self.micro_batch > self.batch_size:
            raise UserError("--micro-batch is above --batch-size; make it smaller.")
        if self.keep_start and not self.from_pose:
            raise UserError("--keep-start needs a pose checkpoint to start from: give --init.")
        if self.val_image_list is not None and self.val_split is None:
            raise UserError("--val-image-list needs --val-split.")

    @property
    def peak_rate(self) -> float:
        """The learning rate given, or the one that belongs to the optimiser and the reduction."""
        if self.learning_rate is not None:
            return self.learning_rate
        return DEFAULT_LEARNING_RATES[self.optimizer, self.reduction]

    @property
    def clip_norm(self) -> float:
        """Largest gradient norm, 0 for none."""
        if self.clip is not None:
            return self.clip
        return 1.0 if self.reduction == "mean" else 0.0

    @property
    def start(self) -> str:
        """`init` with auto resolved."""
        if self.init != "auto":
            return self.init
        return "imagenet" if self.network == "openpose" else "mobilenet-thin"

    @property
    def from_pose(self) -> bool:
        """Whether it starts from weights that find people already."""
        return self.start not in ("none", "imagenet")

    @property
    def name(self) -> str:
        """The run's name."""
        return self.output.resolve().name

    def to_json(self) -> str:
        """Text for settings.json."""
        values = dataclasses.asdict(self)
        plain = {k: str(v) if isinstance(v, Path) else v for k, v in values.items()}
        return json.dumps(plain, indent=2) + "\n"


RANGES: dict[str, tuple[float, float]] = {
    "val_every": (1, float("inf")),
    "val_max_images": (1, float("inf")),
    "fraction": (1e-9, 1),
    "max_images": (1, float("inf")),
    "epochs": (1, float("inf")),
    "max_steps": (1, float("inf")),
    "batch_size": (1, float("inf")),
    "micro_batch": (1, float("inf")),
    "seed": (0, 2**32 - 1),
    "crop": (64, 2048),
    "scale_min": (0.05, 10),
    "scale_max": (0.05, 10),
    "rotation": (0, 180),
    "shift": (0, 368),
    "flip": (0, 1),
    "color_jitter": (0, 0.9),
    "whole_image": (0, 1),
    "teacher_share": (0.01, 1),
    "teacher_gain": (0.1, 10),
    "keep_start": (0, 0.99),
    "sigma": (0.5, 100),
    "paf_width": (0.1, 20),
    "learning_rate": (1e-12, 100),
    "stage_multiplier": (0, 1000),
    "bias_multiplier": (0, 1000),
    "weight_decay": (0, 1),
    "warmup": (0, 1),
    "clip": (0, float("inf")),
    "freeze_epochs": (0, float("inf")),
    "ema": (0, 0.999999),
    "workers": (0, 256),
    "checkpoint_minutes": (0, float("inf")),
    "log_every": (1, float("inf")),
}


def check_ranges(settings: TrainSettings) -> None:
    """Raises a UserError for the first number outside its range and the first unknown choice."""
    for name, (low, high) in RANGES.items():
        value = getattr(settings, name)
        if value is not None and not low <= value <= high:
            bounds = (
                f"at least {low:g}" if high == float("inf") else f"between {low:g} and {high:g}"
            )
            raise UserError(f"{flag(name)} is {value}; it must be {bounds}.")
    for name, hint in typing.get_type_hints(TrainSettings).items():
        choices = typing.get_args(hint) if typing.get_origin(hint) is Literal else ()
        if choices and getattr(settings, name) not in choices:
            raise UserError(f"{flag(name)} must be one of {', '.join(choices)}.")


def flag(name: str) -> str:
    """The option's name on the command line."""
    return "--" + name.replace("_", "-")


def sentences() -> dict[str, str]:
    """The sentence under each field of `TrainSettings`, read from its source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(TrainSettings)))
    body = typing.cast(ast.ClassDef, tree.body[0]).body
    found = {}
    for field, text in itertools.pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
        ):
            found[field.target.id] = " ".join(str(text.value.value).split())
    return found


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds an option for every field; options not given are absent from the parsed namespace."""
    help_texts, hints = sentences(), typing.get_type_hints(TrainSettings)
    for field in dataclasses.fields(TrainSettings):
        default = "" if field.default in (dataclasses.MISSING, None) else f" [{field.default}]"
        hint, options = hints[field.name], {}
        if isinstance(hint, types.UnionType):
            hint = next(t for t in typing.get_args(hint) if t is not type(None))
        if hint is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif typing.get_origin(hint) is Literal:
            options["choices"] = typing.get_args(hint)
        else:
            options["type"] = hint
            options["metavar"] = field.name.split("_")[-1].upper()
        text = help_texts[field.name].replace("%", "%%") + default
        parser.add_argument(flag(field.name), default=argparse.SUPPRESS, help=text, **options)


def from_mapping(values: Mapping[str, Any]) -> TrainSettings:
    """Settings from plain values, for instance those of settings.json.

    Raises:
        UserError: a field is unknown, missing, or out of range.
    """
    fields = {f.name: f for f in dataclasses.fields(TrainSettings)}
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise UserError(f"Unknown training settings: {', '.join(unknown)}.")
    missing = [n for n in ("data", "output") if values.get(n) is None]
    if missing:
        raise UserError(f"Give {' and '.join(flag(n) for n in missing)}.")
    paths = ("data", "output", "image_list", "val_image_list")
    made = {k: Path(v) if k in paths and v is not None else v for k, v in values.items()}
    return TrainSettings(**made)
