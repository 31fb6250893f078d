"""From settings to a finished run: everything is checked before an earlier run is given up."""

from __future__ import annotations

import contextlib
import gc
from functools import partial
from pathlib import Path
from typing import Any

import torch

from pose.catalogue import resolve
from pose.errors import UserError
from pose.estimator import PoseEstimator
from train.initial import make_start
from train.journal import Journal
from train.processes import in_step, make_accelerator
from train.run_directory import RunDirectory, write_file
from train.settings import TrainSettings
from train.sources import chosen_data
from train.teacher import Teacher
from train.trainer import Summary, Trainer
from train.validation import Validator

FEW_IMAGES = 1000
"""Below so many, training from pretrained weights without a guard is worth a warning: 234 images
took 0.025 of AP."""


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
    with contextlib.ExitStack() as at_end:
        at_end.callback(run.unlock)
        in_step(accelerator, lambda: open_run(run, settings, resume, overwrite))
        trainer = prepared(settings, accelerator, run, resume, at_end)
        give_back_memory(accelerator.device)
        summary = trainer.fit()
        if summary.finished and accelerator.is_main_process:
            run.forget_teacher()
        return summary


def prepared(
    settings: TrainSettings,
    accelerator: Any,
    run: RunDirectory,
    resume: bool,
    at_end: contextlib.ExitStack,
) -> Trainer:
    """A trainer that stands where the training begins; the teacher has looked and is gone.

    Args:
        at_end: closes what has to be open until then.

    Raises:
        UserError: something cannot be used; an earlier run is then as it was.
    """
    data = chosen_data(settings)
    start = make_start(settings)
    validator = None
    if settings.val_split:
        validator = Validator(settings, start, accelerator.device.type)
        validator.check()
    journal = Journal(
        run,
        speaks=accelerator.is_main_process,
        progress=settings.progress,
        tensorboard=settings.tensorboard,
    )
    at_end.callback(journal.close)
    teacher = Teacher(run.teacher, start.shift, settings.teacher_gain) if settings.teacher else None
    taught_by = in_step(accelerator, lambda: teaching(settings, accelerator.device.type))
    trainer = Trainer(settings, start, data, accelerator, journal, run, validator, teacher)
    if not resume:
        # Only now that everything is found to be right is an earlier run given up.
        in_step(accelerator, lambda: begin_run(run, settings))
    for line in data.problems.lines():
        journal.say(line)
    journal.say(
        f"{settings.name}: {settings.network} from {start.description}, {len(data.images)} "
        f"images, {len(data.samples)} samples, {trainer.total_steps} steps of "
        f"{settings.batch_size} on {accelerator.num_processes} x {accelerator.device.type}"
    )
    if unguarded(settings, len(data.images)):
        journal.say(
            f"So few images tend to make {settings.start} worse: --keep-start 0.5 guards it, "
            "and so does --teacher (docs/training.md)."
        )
    if not resume:
        trainer.save()  # before the teacher looks, which takes long and can be gone on with
    if teacher is not None:
        see = partial(teacher.look_at, data.images, taught_by, journal.say, settings.progress)
        in_step(accelerator, see)
    if resume:
        trainer.load(run.load_checkpoint())
        journal.say(f"Going on after step {trainer.step}")
    return trainer


def give_back_memory(device: torch.device) -> None:
    """Frees what the teacher took of a GPU, for the training."""
    if device.type == "cuda":
        gc.collect()
        torch.cuda.empty_cache()


def unguarded(settings: TrainSettings, images: int) -> bool:
    """Whether pretrained weights see few images with nothing that holds them."""
    guarded = bool(settings.keep_start) or settings.teacher is not None
    return settings.from_pose and images < FEW_IMAGES and not guarded


def teaching(settings: TrainSettings, device: str) -> PoseEstimator | None:
    """The teacher's estimator; None where there is no teacher.

    Raises:
        UserError: its weights cannot be used.
    """
    if settings.teacher is None:
        return None
    return PoseEstimator.from_pretrained(settings.teacher, device=device)


def open_run(run: RunDirectory, settings: TrainSettings, resume: bool, overwrite: bool) -> None:
    """Locks the run directory and makes it ready.

    Raises:
        UserError: it is taken, or holds a run or weights that would be lost.
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
    if overwrite:
        init = settings.start if settings.from_pose else None
        for option, name in (("--init", init), ("--teacher", settings.teacher)):
            if name is not None and lies_in(name, run.folder):
                raise UserError(
                    f"{option} {name} is in {run.folder}, which --overwrite clears; choose another "
                    "--output."
                )


def lies_in(weights: str, folder: Path) -> bool:
    """Whether weights by name, file or run are a file in a folder."""
    try:
        path = resolve(weights).path
    except UserError:
        return False  # loading them tells it
    return path is not None and path.resolve().is_relative_to(folder.resolve())


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
