"""What a training tells: the log, metrics.jsonl, loss.png, the progress bar, TensorBoard."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pose.errors import UserError
from train.run_directory import RunDirectory, write_file


class Journal:
    """Writes a run's records. Only the main process has a speaking one."""

    def __init__(
        self, run: RunDirectory, *, speaks: bool, progress: bool, tensorboard: bool
    ) -> None:
        self.run = run
        self.speaks = speaks
        self.progress = progress and speaks
        self.bar: Any = None
        self.board: Any = None
        if tensorboard and speaks:
            self.board = open_board(run)

    def say(self, line: str) -> None:
        """A line on the terminal and in the log."""
        if not self.speaks:
            return
        if self.bar is not None:
            self.bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)
        append(self.run.log, line)

    def record(self, kind: str, values: Mapping[str, Any]) -> None:
        """A line of metrics.jsonl (and TensorBoard)."""
        if not self.speaks:
            return
        append(self.run.metrics, json.dumps({"kind": kind, **values}))
        if self.board is not None:
            for name, value in flattened(values).items():
                self.board.add_scalar(f"{kind}/{name}", value, values["step"])

    def rewind(self, step: int) -> None:
        """Forgets the records after a step, when a run goes on from there.

        Raises:
            UserError: the file cannot be written.
        """
        if self.speaks and self.run.metrics.is_file():
            kept = [r for r in read_records(self.run) if r.get("step", 0) <= step]
            text = "".join(json.dumps(r) + "\n" for r in kept)
            try:
                write_file(self.run.metrics, lambda file: file.write(text.encode()))
            except OSError as error:
                raise UserError(
                    f"{self.run.metrics} cannot be written: {error.strerror}."
                ) from None

    def open_bar(self, done: int, total: int) -> None:
        if self.progress:
            from tqdm import tqdm

            self.bar = tqdm(total=total, initial=done, unit="step", dynamic_ncols=True)

    def advance(self, **values: str) -> None:
        if self.bar is not None:
            self.bar.set_postfix(values, refresh=False)
            self.bar.update()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None
        if self.board is not None:
            self.board.close()
            self.board = None

    def draw_curve(self) -> None:
        """Draws loss.png from metrics.jsonl."""
        if self.speaks:
            draw_curve(self.run)


def append(path: Path, line: str) -> None:
    """Adds a line to a file; a full disk costs the line, not the training."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        print(f"{path} cannot be written: {error.strerror or error}", file=sys.stderr)


def open_board(run: RunDirectory) -> Any:
    """A TensorBoard writer.

    Raises:
        UserError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise UserError(
            "--tensorboard needs TensorBoard: pip install tensorboard, or leave the option out."
        ) from None
    return SummaryWriter(str(run.folder / "tensorboard"))


def flattened(values: Mapping[str, Any]) -> dict[str, float]:
    """Numbers by name; a list's get their place (from 1) appended."""
    flat: dict[str, float] = {}
    for name, value in values.items():
        if isinstance(value, list):
            flat |= {f"{name}_{i}": v for i, v in enumerate(value, start=1)}
        elif isinstance(value, int | float) and not isinstance(value, bool):
            flat[name] = value
    return flat


def read_records(run: RunDirectory) -> list[dict[str, Any]]:
    """The whole lines of metrics.jsonl; a line cut off by a crash is left out."""
    records = []
    for line in run.metrics.read_text("utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


def draw_curve(run: RunDirectory) -> None:
    """Loss per step, its stages, and validation AP, as a picture in the run directory."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    records = read_records(run) if run.metrics.is_file() else []
    steps = [r for r in records if r["kind"] == "step"]
    if not steps:
        return
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.plot([r["step"] for r in steps], [r["loss"] for r in steps], label="loss", color="black")
    for name, style in (("pafs", "-"), ("heatmaps", "--")):
        for stage in (0, -1):
            number = stage % len(steps[0][name]) + 1
            values = [r[name][stage] for r in steps]
            label = f"{name}, stage {number}"
            axes.plot([r["step"] for r in steps], values, style, label=label, linewidth=1)
    axes.set(xlabel="optimiser step", ylabel="loss", title=run.folder.name)
    if all(r["loss"] > 0 and math.isfinite(r["loss"]) for r in steps):
        axes.set_yscale("log")
    measured = [r for r in records if r["kind"] == "validation"]
    if measured:
        right = axes.twinx()
        right.plot([r["step"] for r in measured], [r["ap"] for r in measured], "o-", color="green")
        right.set(ylabel="validation AP", ylim=(0, 1))
    axes.legend(loc="upper right", fontsize="small")
    write_file(run.curve, lambda file: figure.savefig(file, format="png", dpi=110))
