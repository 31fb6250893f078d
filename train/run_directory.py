"""The files of a run: one process writes them, and each is whole or not there.

RUN_DIR/weights.safetensors   final weights; written last, so its presence means finished
        settings.json metrics.jsonl log.txt loss.png
        checkpoints/last.pt            everything needed to resume
        checkpoints/best.safetensors   the best weights so far
"""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from pose.errors import UserError
from pose.files import write_atomically, write_text
from train.options import from_mapping
from train.settings import TrainSettings

CHECKPOINT_VERSION = 2


class RunDirectory:
    """Where a run's files are, and how they are written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.weights = folder / "weights.safetensors"
        self.settings = folder / "settings.json"
        self.metrics = folder / "metrics.jsonl"
        self.log = folder / "log.txt"
        self.curve = folder / "loss.png"
        self.last = folder / "checkpoints" / "last.pt"
        self.best = folder / "checkpoints" / "best.safetensors"
        self._lock: Any = None

    @property
    def finished(self) -> bool:
        return self.weights.is_file()

    @property
    def started(self) -> bool:
        return self.last.is_file() or self.metrics.is_file() or self.finished

    def lock(self) -> None:
        """Makes this process the only writer until it ends.

        Raises:
            UserError: another training writes here, or the folder cannot be written.
        """
        try:
            (self.folder / "checkpoints").mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / ".lock").open("a")
            if sys.platform != "win32":
                import fcntl

                # Not flock, which loader processes that outlive a kill would keep.
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
        written = (self.settings, self.metrics, self.curve, self.weights, self.last, self.best)
        for path in written:
            # The names that `write_atomically` gives its temporary files.
            for left in path.parent.glob(f".????????{path.suffix}"):
                with contextlib.suppress(OSError):
                    left.unlink()

    def unlock(self) -> None:
        """Lets other processes write."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def clear(self) -> None:
        """Removes an earlier run's files, its weights first."""
        for path in (self.weights, self.last, self.best, self.metrics, self.log, self.curve):
            path.unlink(missing_ok=True)

    def write_settings(self, settings: TrainSettings) -> None:
        """Writes settings.json.

        Raises:
            UserError: it cannot be written.
        """
        write_text(self.settings, settings.to_json())

    def read_settings(self) -> TrainSettings:
        """The settings a run was started with.

        Raises:
            UserError: there is no run here, or another version of this program started it.
        """
        try:
            values = dict(json.loads(self.settings.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            raise UserError(
                f"{self.folder} is not a run directory: {self.settings.name} is missing or broken."
            ) from None
        try:
            return from_mapping({**values, "output": self.folder})
        except UserError as error:
            raise UserError(
                f"{self.settings} is of no use here ({error}); start a new run."
            ) from None

    def save_checkpoint(self, state: dict[str, Any]) -> None:
        """Replaces the last checkpoint.

        Raises:
            UserError: it cannot be written; the earlier one is intact.
        """
        import torch

        content = {"version": CHECKPOINT_VERSION, **state}
        write_atomically(self.last, lambda path: torch.save(content, path))

    def load_checkpoint(self) -> dict[str, Any]:
        """The last checkpoint.

        Raises:
            UserError: there is none, or it cannot be read.
        """
        import torch

        if not self.last.is_file():
            raise UserError(f"{self.folder} has no checkpoint to resume from; start a new run.")
        try:
            state = torch.load(self.last, map_location="cpu", weights_only=True)
        except Exception as error:
            # A damaged file raises any of a dozen exception types, with messages of many lines.
            reason = " ".join(str(error).split())[:120] or type(error).__name__
            raise UserError(
                f"{self.last} cannot be read ({reason}); it is damaged, start again with "
                "--overwrite."
            ) from None
        if not isinstance(state, dict) or state.get("version") != CHECKPOINT_VERSION:
            raise UserError(
                f"{self.last} was written by another version of this program; start a new run."
            )
        return state
