"""From settings to a finished run: everything is checked before an earlier run is replaced."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import Any

from pose.errors import UserError
from pose.weights.catalogue import resolve
from train.data.read import chosen_data
from train.distributed import in_step, make_accelerator
from train.kept_memory import keep_freed_memory
from train.log import TrainingLog
from train.network import initial_network
from train.run_directory import RunDirectory
from train.settings import TrainSettings
from train.teacher import Teacher
from train.trainer import Summary, Trainer
from train.validation import Validator

FEW_IMAGES = 1000
"""Below this many, pretrained weights are protected unless the options say otherwise: 234 images
cost 0.025 of AP."""

FEW_IMAGES_KEEP_START = 0.5


def train(settings: TrainSettings, *, resume: bool = False, overwrite: bool = False) -> Summary:
    """Trains into the run directory of the settings.

    Args:
        resume: continue from the last checkpoint.
        overwrite: replace an earlier run in that directory.

    Raises:
        UserError: for everything the user can put right.
    """
    accelerator = make_accelerator(settings)
    if accelerator.device.type == "cpu":
        keep_freed_memory()
    run = RunDirectory(settings.output)
    with contextlib.ExitStack() as at_end:
        at_end.callback(run.unlock)
        in_step(accelerator, lambda: open_run(run, settings, resume, overwrite))
        log = TrainingLog(run, active=accelerator.is_main_process, progress=settings.progress)
        at_end.callback(log.close)
        trainer = prepare(settings, accelerator, run, log, resume)
        return trainer.fit()


def prepare(
    settings: TrainSettings, accelerator: Any, run: RunDirectory, log: TrainingLog, resume: bool
) -> Trainer:
    """A trainer ready for its next step.

    Raises:
        UserError: something cannot be used; an earlier run is then unchanged.
    """
    data = chosen_data(settings)
    given, settings = settings, guarded(settings, len(data.images))
    initial = initial_network(settings)
    validator = None
    if settings.validates:
        validator = Validator(settings, initial, accelerator.device.type)
        _ = validator.chosen  # mistakes in the data show before the training
    teacher = Teacher.load(settings.teacher, accelerator.device) if settings.teacher else None
    trainer = Trainer(settings, initial, data, accelerator, log, run, validator, teacher)
    if not resume:
        # Only now, with everything checked, is an earlier run deleted.
        in_step(accelerator, lambda: begin_run(run, settings))
    for note in data.notes:
        log.say(note)
    log.say(
        f"{settings.name}: {settings.network} from {initial.description}, {len(data.images)} "
        f"images, {len(data.samples)} samples, {trainer.total_steps} steps of "
        f"{settings.batch_size} on {accelerator.num_processes} x {accelerator.device.type}"
    )
    if settings != given:
        log.say(
            f"So few images tend to make {settings.initial_weights} worse, so it is protected by "
            f"--keep-start {settings.keep_start} --teacher {settings.teacher}; --keep-start 0 "
            "turns this off (docs/training.md)."
        )
    if resume:
        trainer.load(run.load_checkpoint())
        log.say(f"Resuming after step {trainer.step}")
    return trainer


def guarded(settings: TrainSettings, images: int) -> TrainSettings:
    """The settings with the guards for few images, where neither was chosen nor turned off."""
    chosen = settings.keep_start is not None or settings.teacher is not None
    if chosen or not settings.fine_tunes or images >= FEW_IMAGES:
        return settings
    return dataclasses.replace(
        settings, keep_start=FEW_IMAGES_KEEP_START, teacher=settings.initial_weights
    )


def open_run(run: RunDirectory, settings: TrainSettings, resume: bool, overwrite: bool) -> None:
    """Locks the run directory and checks that it may be written.

    Raises:
        UserError: it is in use, or holds a run or weights that would be lost.
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
        init = settings.initial_weights if settings.fine_tunes else None
        for option, name in (("--init", init), ("--teacher", settings.teacher)):
            if name is not None and is_inside(name, run.folder):
                raise UserError(
                    f"{option} {name} is in {run.folder}, which --overwrite clears; choose another "
                    "--output."
                )


def is_inside(weights: str, folder: Path) -> bool:
    """Whether weights, given by name, file or run, are a file in a folder."""
    try:
        path = resolve(weights).path
    except UserError:
        return False  # loading them reports it
    return path is not None and path.resolve().is_relative_to(folder.resolve())


def begin_run(run: RunDirectory, settings: TrainSettings) -> None:
    """Clears the run directory and writes the settings.

    Raises:
        UserError: it cannot be written.
    """
    try:
        run.clear()
    except OSError as error:
        raise UserError(f"{run.folder} cannot be written ({error.strerror}).") from None
    run.write_settings(settings)
