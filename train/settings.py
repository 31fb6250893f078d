"""Every option of a training run, in one dataclass; the command line is made from it."""

from __future__ import annotations

import dataclasses
import json
import math
import typing
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any, Literal

from pose.errors import UserError
from pose.geometry import STRIDE


def option(
    help: str, default: Any = MISSING, low: float = -math.inf, high: float = math.inf
) -> Any:
    """A field with its help text and, for a number, its range."""
    return dataclasses.field(default=default, metadata={"help": help, "range": (low, high)})


@dataclass(frozen=True)
class TrainSettings:
    """What to train, on what and how.

    Raises:
        UserError: an option is out of range, or two contradict each other.
    """

    output: Path = option("The run directory to write; its name is the run's name.")

    data: Path | None = option(
        "A folder in COCO's layout (annotations/, train2017/, ...) or with a CMU COCO.json.", None
    )
    annotations: Path | None = option(
        "A COCO keypoint file of any tool (CVAT, Roboflow, Label Studio, ...), instead of --data.",
        None,
    )
    images: Path | None = option(
        "Folder of the photos of --annotations; by default the folder of that file.", None
    )
    train_split: str = option(
        "Split to train on: annotations/person_keypoints_SPLIT.json and the folder SPLIT/.",
        "train2017",
    )
    val_split: str | None = option("Split to measure AP on; none by default.", None)
    val_annotations: Path | None = option(
        "A COCO keypoint file to measure AP on, instead of --val-split.", None
    )
    val_images: Path | None = option(
        "Folder of the photos of --val-annotations; by default the folder of that file.", None
    )
    val_image_list: Path | None = option(
        "A text file with one image file name or id per line: validate on these only.", None
    )
    image_list: Path | None = option(
        "A text file with one image file name or id per line: train on these only.", None
    )
    fraction: float = option("Share of the images to train on, chosen by the seed.", 1.0, 1e-9, 1)
    max_images: int | None = option(
        "Train on at most this many images, chosen by the seed.", None, 1
    )

    network: Literal["openpose", "mobilenet-thin"] = option("Network to train.", "openpose")
    init: str = option(
        "Weights to start from: imagenet (VGG-19), a catalogue name, a weights file, none, or "
        "auto (imagenet for openpose, the bundled weights for mobilenet-thin).",
        "auto",
    )
    epochs: int = option("Passes over the training samples (one per main person).", 10, 1)
    max_steps: int | None = option("Optimizer steps to train for, instead of epochs.", None, 1)
    batch_size: int = option("Samples per optimizer step, over all processes.", 16, 1)
    micro_batch: int | None = option(
        "Samples on the device at once; gradients accumulate to the batch size. By default all of "
        "a process, halved whenever memory runs out.",
        None,
        1,
    )
    seed: int = option(
        "Chooses the images, their order, the augmentation and fresh weights.", 0, 0, 2**32 - 1
    )

    crop: int = option("Width and height of a sample in pixels, a multiple of 8.", 368, 64, 2048)
    whole_image: float = option(
        "Probability of a crop at the photo's own scale (shorter side 0.75 to 1.25 times the "
        "crop), as at inference, instead of one centred on a person; the published method has 0.",
        0.5,
        0,
        1,
    )
    scale_min: float = option(
        "Smallest factor on a person's standard size (box height 0.6 of the crop).", 0.5, 0.05, 10
    )
    scale_max: float = option("Largest factor on a person's standard size.", 1.1, 0.05, 10)
    rotation: float = option("Largest rotation in degrees, either way.", 40.0, 0, 180)
    shift: float = option("Largest shift of the crop's centre in its pixels.", 40.0, 0, 368)
    flip: float = option("Probability of mirroring a sample.", 0.5, 0, 1)
    color_jitter: float = option(
        "Largest relative change of brightness, contrast and saturation.", 0.1, 0, 0.9
    )

    teacher: str | None = option(
        "Weights whose maps of every sample and of its mirror image, averaged, are targets beside "
        "the labels: data distillation, for few images or incomplete labels; by default none, or "
        "the initial weights where --keep-start is chosen for you.",
        None,
    )
    teacher_share: float = option(
        "Share of the loss that is the distance from the teacher's maps.", 0.5, 0.01, 1
    )
    keep_start: float | None = option(
        "Share of the initial weights in the weights that are validated and saved (WiSE-FT, arXiv "
        "2109.01903): protects a pretrained network from few images. By default 0.5 for pretrained "
        "weights on fewer than 1,000 images without --teacher, else 0.",
        None,
        0,
        0.99,
    )

    learning_rate: float = option("Peak learning rate of Adam.", 4e-05, 1e-12, 100)
    relative_rates: bool = option(
        "Make every weight's step relative to the initial weights of its channels, and centre the "
        "inputs of every layer: for networks with folded batch norm, whose channels differ a "
        "thousandfold in scale and whose means must not drift; try 5e-4 with it.",
        False,
    )
    warmup: float = option(
        "Share of all steps in which the learning rate rises; then it falls to 0 along a cosine.",
        0.05,
        0,
        1,
    )
    clip: float = option("Largest norm of the gradient; 0 for none.", 1.0, 0)
    freeze_epochs: int = option(
        "Epochs at the start in which the front end (VGG-19's or MobileNet's layers) is frozen.",
        0,
        0,
    )
    ema: float = option(
        "Decay of the moving average of the weights that is validated and saved; 0 turns it off.",
        0.999,
        0,
        0.999999,
    )

    precision: Literal["no", "bf16", "fp16"] = option("Mixed precision.", "no")
    gradient_checkpointing: bool = option(
        "Recompute activations in the backward pass: less memory for about a third more time.",
        False,
    )
    device: Literal["auto", "cpu", "cuda"] = option("Where to train.", "auto")
    workers: int = option(
        "Loader processes per training process; 0 loads in the training process.", 2, 0, 256
    )
    checkpoint_minutes: float = option(
        "Minutes between checkpoints within an epoch; 0 saves after every step.", 10.0, 0
    )
    log_every: int = option("Optimizer steps between two lines of the log.", 10, 1)
    progress: bool = option("Show a progress bar.", True)

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.data is None and self.annotations is None:
            raise UserError("Give --data COCO_DIR, or --annotations FILE and --images DIR.")
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
        if self.keep_start and not self.fine_tunes:
            raise UserError("--keep-start needs a pose checkpoint to start from: give --init.")
        if self.val_image_list is not None and not self.validates:
            raise UserError("--val-image-list needs --val-split or --val-annotations.")
        if self.val_split is not None and self.data is None:
            raise UserError("--val-split is a split of --data; give --val-annotations instead.")

    @property
    def validates(self) -> bool:
        """Whether AP is measured during the training."""
        return self.val_split is not None or self.val_annotations is not None

    @property
    def initial_weights(self) -> str:
        """`init` with auto resolved."""
        if self.init != "auto":
            return self.init
        return "imagenet" if self.network == "openpose" else "mobilenet-thin"

    @property
    def fine_tunes(self) -> bool:
        """Whether it starts from a pose checkpoint."""
        return self.initial_weights not in ("none", "imagenet")

    @property
    def name(self) -> str:
        """The run's name."""
        return self.output.resolve().name

    def to_json(self) -> str:
        """Text for settings.json."""
        return json.dumps(dataclasses.asdict(self), indent=2, default=str) + "\n"


def check_ranges(settings: TrainSettings) -> None:
    """Raises a UserError for the first number out of range and the first unknown choice."""
    for field in dataclasses.fields(settings):
        value, (low, high) = getattr(settings, field.name), field.metadata["range"]
        if isinstance(value, int | float) and not low <= value <= high:
            bounds = f"at least {low:g}" if high == math.inf else f"between {low:g} and {high:g}"
            raise UserError(f"{flag(field.name)} is {value}; it must be {bounds}.")
    for name, hint in typing.get_type_hints(TrainSettings).items():
        choices = typing.get_args(hint) if typing.get_origin(hint) is Literal else ()
        if choices and getattr(settings, name) not in choices:
            raise UserError(f"{flag(name)} must be one of {', '.join(choices)}.")


def flag(name: str) -> str:
    """An option's name on the command line."""
    return "--" + name.replace("_", "-")
