"""A run directory: one writer, whole files, and a checkpoint to go on from.

RUN_DIR/weights.safetensors   final weights; written last, so its presence means finished
        settings.json metrics.jsonl log.txt loss.png
        checkpoints/last.pt            everything needed to go on
        checkpoints/best.safetensors   the best weights so far, for looking at them
        teacher/                       a teacher's maps of the photos, while the run lasts
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import torch

from pose.errors import UserError
from train.settings import TrainSettings, from_mapping

CHECKPOINT_VERSION = 1


class RunDirectory:
    """The files of a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.weights = folder / "weights.safetensors"
        self.settings = folder / "settings.json"
        self.metrics = folder / "metrics.jsonl"
        self.log = folder / "log.txt"
        self.curve = folder / "loss.png"
        self.last = folder / "checkpoints" / "last.pt"
        self.best = folder / "checkpoints" / "best.safetensors"
        self.teacher = folder / "teacher"
        self._lock: Any = None

    @property
    def finished(self) -> bool:
        return self.weights.is_file()

    @property
    def started(self) -> bool:
        return self.last.is_file() or self.metrics.is_file() or self.finished

    def lock(self) -> None:
        """Becomes the one writer until the process ends.

        Raises:
            UserError: another training writes here, or nobody can.
        """
        try:
            import fcntl
        except ImportError:  # Windows: no lock, trainings there have to be kept apart by hand
            fcntl = None
        try:
            (self.folder / "checkpoints").mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / ".lock").open("a")
            if fcntl is not None:
                # Not flock: that lock would live on in loader processes that outlive a kill.
                fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"Another training writes into {self.folder}; wait for it or give another --output."
            ) from None
        except OSError as error:
            raise UserError(f"{self.folder} cannot be written ({error.strerror}).") from None
        self.sweep()

    def sweep(self) -> None:
        """Deletes half-written files of a process that was killed; only the one writer may."""
        for path in (self.settings, self.metrics, self.curve, self.weights, self.last, self.best):
            for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
                with contextlib.suppress(OSError):
                    left.unlink()
        for left in self.teacher.glob(".*.npz.*"):
            with contextlib.suppress(OSError):
                left.unlink()

    def unlock(self) -> None:
        """Lets others write."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def clear(self) -> None:
        """Removes an earlier run's files, its weights first."""
        for path in (self.weights, self.last, self.best, self.metrics, self.log, self.curve):
            path.unlink(missing_ok=True)
        self.forget_teacher()

    def forget_teacher(self) -> None:
        """Deletes a teacher's maps."""
        shutil.rmtree(self.teacher, ignore_errors=True)

    def read_settings(self) -> TrainSettings:
        """The settings a run was started with.

        Raises:
            UserError: there is no run here.
        """
        try:
            values = dict(json.loads(self.settings.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            raise UserError(
                f"{self.folder} is not a run directory: {self.settings.name} is missing or broken."
            ) from None
        return from_mapping({**values, "output": self.folder})

    def save_checkpoint(self, state: dict[str, Any]) -> None:
        """Replaces the last checkpoint.

        Raises:
            OSError, RuntimeError: it cannot be written; the earlier one is intact.
        """
        content = {"version": CHECKPOINT_VERSION, **state}
        write_file(self.last, lambda file: torch.save(content, file))

    def load_checkpoint(self) -> dict[str, Any]:
        """The last checkpoint.

        Raises:
            UserError: there is none, or it cannot be read.
        """
        if not self.last.is_file():
            raise UserError(f"{self.folder} has no checkpoint to resume from; start it anew.")
        try:
            state = torch.load(self.last, map_location="cpu", weights_only=True)
        except Exception as error:
            # Damage has a dozen exception types and messages of many lines.
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            raise UserError(
                f"{self.last} cannot be read ({reason}); it is damaged, start the run anew with "
                "--overwrite."
            ) from None
        if not isinstance(state, dict) or state.get("version") != CHECKPOINT_VERSION:
            raise UserError(f"{self.last} was written by another version of this program.")
        return state


def write_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Lets `write` fill a temporary file, then puts it in place, whole and on the disk.

    Raises:
        OSError, RuntimeError: it cannot be written; `path` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
