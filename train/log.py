"""The records of a run: log.txt, metrics.jsonl, loss.png, the progress bar."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pose.errors import UserError
from pose.files import write_atomically, write_text
from train.run_directory import RunDirectory
from train.stepper import StepResult


class TrainingLog:
    """Writes a run's records; only the main process's does anything."""

    def __init__(self, run: RunDirectory, *, active: bool, progress: bool) -> None:
        self.run, self.active = run, active
        self.progress = progress and active
        self.bar: Any = None
        self.since = (0, 0.0)  # the last step with a line, and when it was
        self.problems: list[str] = []

    def say(self, line: str) -> None:
        """A line on the terminal and in the log."""
        if not self.active:
            return
        if self.bar is not None:
            self.bar.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)
        append(self.run.log, line)

    def record(self, kind: str, values: Mapping[str, Any]) -> None:
        """A line of metrics.jsonl."""
        if self.active:
            append(self.run.metrics, json.dumps({"kind": kind, **values}))

    def rewind(self, step: int) -> None:
        """Deletes the records after a step, from which the run is resumed.

        Raises:
            UserError: the file cannot be written.
        """
        if self.active and self.run.metrics.is_file():
            kept = [r for r in read_records(self.run) if r.get("step", 0) <= step]
            write_text(self.run.metrics, "".join(json.dumps(r) + "\n" for r in kept))

    def start(self, done: int, total: int) -> None:
        """Starts the clock and the progress bar."""
        self.since = (done, time.monotonic())
        if self.progress:
            from tqdm import tqdm

            self.bar = tqdm(total=total, initial=done, unit="step", dynamic_ncols=True)

    def step(self, result: StepResult, step: int, epoch: int, due: bool) -> None:
        """A step on the progress bar; if `due`, its numbers and the time since the last such."""
        if self.bar is not None:
            memory = f"{result.memory_gb:.1f} GB"
            self.bar.set_postfix(loss=f"{result.loss:.4g}", memory=memory, refresh=False)
            self.bar.update()
        if not due:
            return
        now = time.monotonic()
        steps, seconds = step - self.since[0], now - self.since[1]
        self.since = (step, now)
        self.say(f"Iteration {step} || Loss: {result.loss:.6f} || {steps}iter: {seconds:.4f} sec.")
        values = {k: v for k, v in asdict(result).items() if k not in ("stop", "save")}
        values["seconds_per_step"] = seconds / steps
        self.record("step", {"step": step, "epoch": epoch, **values})

    def unreadable(self, problems: Sequence[str]) -> None:
        """Reports every image that cannot be read once."""
        for problem in problems:
            if problem not in self.problems:
                self.problems.append(problem)
                self.say(f"Skipped an unreadable image ({len(self.problems)} so far): {problem}")

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def draw_curve(self) -> None:
        """Draws loss.png from metrics.jsonl; a full disk costs the picture, not the training."""
        if self.active:
            try:
                draw_curve(self.run)
            except UserError as error:
                self.say(str(error))


def append(path: Path, line: str) -> None:
    """Adds a line to a file; a full disk costs the line, not the training."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        print(f"{path} cannot be written: {error.strerror or error}", file=sys.stderr)


def read_records(run: RunDirectory) -> list[dict[str, Any]]:
    """The records in metrics.jsonl, without a line that a crash cut off."""
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
    write_atomically(run.curve, lambda path: figure.savefig(path, format="png", dpi=110))
