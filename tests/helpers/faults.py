"""Trainings that a fault ends: in processes of their own, killed at a chosen moment."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pose.presets import Preset
from train.settings import TrainSettings

FOREST = multiprocessing.get_context("forkserver")
FOREST.set_forkserver_preload(
    [
        "accelerate",
        "matplotlib.backends.backend_agg",
        "matplotlib.figure",
        "pycocotools.cocoeval",
        "torch._dynamo",
        "train.__main__",
        "train.launch",
    ]
)
"""The modules are loaded once, for all processes, and no thread of the tests is copied."""

QUICK = Preset("quick", (184,))
"""What validations run in the tests, see `conftest.quick_validation`."""

PATIENCE = 240
"""Seconds before a process counts as hanging."""


def die() -> None:
    """What `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)


def dying_at(call: int, real: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which kills the process at its so-manieth call, from 1."""
    calls = []

    def function(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == call:
            die()
        return real(*arguments, **options)

    return function


def in_a_step() -> None:
    from accelerate import Accelerator

    # Gradients are there, weights have not changed yet.
    Accelerator.clip_grad_norm_ = dying_at(3, Accelerator.clip_grad_norm_)


def in_a_half_written_checkpoint() -> None:
    """Half of the bytes of the third checkpoint are in the temporary file."""
    import torch

    real, calls = torch.save, []

    def save(content: Any, path: Path) -> None:
        calls.append(1)
        real(content, path)
        if len(calls) == 3:
            os.truncate(path, path.stat().st_size // 2)
            die()

    torch.save = save


def before_a_checkpoint_is_in_place() -> None:
    """The temporary file of the third checkpoint is whole, and not renamed."""
    from train.run_directory import RunDirectory

    real, replace, calls = RunDirectory.save_checkpoint, Path.replace, []

    def save(self: RunDirectory, state: Any) -> None:
        calls.append(1)
        if len(calls) == 3:
            Path.replace = lambda *_: die()
        real(self, state)
        Path.replace = replace

    RunDirectory.save_checkpoint = save


def in_a_validation() -> None:
    from train.validation import Validator

    Validator.measure = dying_at(2, Validator.measure)


def after_the_best_weights() -> None:
    """The best weights of the second epoch are in place, and its checkpoint is not."""
    from train.log import TrainingLog

    TrainingLog.draw_curve = dying_at(2, TrainingLog.draw_curve)


def while_the_final_weights_are_written() -> None:
    import pose.files
    from train.trainer import Trainer

    real = Trainer.finish

    def finish(self: Trainer) -> Any:
        pose.files.flush_to_disk = lambda _: die()
        return real(self)

    Trainer.finish = finish


def _child(prepare: Callable[[], None] | None, arguments: list[str], output: Path) -> None:
    """Runs `python -m train` here; what it says goes to a file."""
    import torch

    from train import validation
    from train.__main__ import main

    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    torch.set_num_threads(1)
    validation.PRESET = QUICK
    if prepare:
        prepare()
    os._exit(main(arguments))


class Training:
    """`python -m train` in a process of its own."""

    def __init__(
        self, arguments: list[str], said: Path, prepare: Callable[[], None] | None = None
    ) -> None:
        self.said = said
        self.process = FOREST.Process(target=_child, args=(prepare, arguments, said))
        self.process.start()

    def wait(self) -> int:
        """The exit status, negative for a signal."""
        self.process.join(PATIENCE)
        if self.process.exitcode is None:
            self.process.kill()
            raise AssertionError(f"the training hangs: {self.text}")
        return self.process.exitcode

    @property
    def text(self) -> str:
        """Everything it has said."""
        return self.said.read_text() if self.said.exists() else ""


def options(settings: TrainSettings) -> list[str]:
    """The command line that gives these settings."""
    words: list[str] = []
    for name, value in json.loads(settings.to_json()).items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            words.append(flag if value else flag.replace("--", "--no-", 1))
        elif value is not None:
            words += [flag, str(value)]
    return words
