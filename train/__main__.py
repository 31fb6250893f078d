"""`python -m train`: trains a network on COCO keypoints into a run directory."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from train.settings import TrainSettings
    from train.trainer import Summary

SAFE_ON_RESUME = {
    *("data", "annotations", "images", "val_annotations", "val_images"),
    *("workers", "device", "micro_batch", "checkpoint_minutes", "progress"),
}
"""Options that may change on resume: they move the data or save time, and change no result."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0 if finished or interrupted, 2 for a user's mistake, 130 for Ctrl-C."""
    try:
        return run(argv)
    except KeyboardInterrupt:
        print("Stopped at once; a checkpoint that was written is kept.", file=sys.stderr)
        return 130


def run(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0 if finished or interrupted, 2 for a user's mistake."""
    # Imported here, as they take seconds and Ctrl-C should end those without a traceback as well.
    from pose.errors import UserError

    try:
        settings, resume, overwrite = settings_from(make_parser().parse_args(argv))
        from train.distributed import ReportedElsewhere
        from train.launch import train

        try:
            summary = train(settings, resume=resume, overwrite=overwrite)
        except ReportedElsewhere:
            return 2
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    from accelerate import PartialState

    if PartialState().is_main_process:
        report(settings, summary)
    return 0


def make_parser() -> argparse.ArgumentParser:
    """All options: the settings, and what to do with a run that exists."""
    from train.options import add_options

    parser = argparse.ArgumentParser(
        prog="python -m train",
        description="Train a pose network on COCO keypoints.",
        epilog="On several GPUs or machines: accelerate launch -m train ..., or "
        "torchrun --nproc-per-node 2 -m train ..., with the same options.",
    )
    add_options(parser)
    parser.add_argument("--resume", metavar="RUN_DIR", type=Path, help="Resume an interrupted run.")
    parser.add_argument(
        "--overwrite", action="store_true", help="Replace an earlier run in --output."
    )
    return parser


def settings_from(arguments: argparse.Namespace) -> tuple[TrainSettings, bool, bool]:
    """The settings, whether to resume, whether to overwrite.

    Raises:
        UserError: options are missing or contradict each other.
    """
    from pose.errors import UserError
    from train.options import from_mapping
    from train.run_directory import RunDirectory
    from train.settings import flag

    given = vars(arguments).copy()
    resume, overwrite = given.pop("resume"), given.pop("overwrite")
    if resume is None:
        return from_mapping(given), False, overwrite
    if changed := sorted(set(given) - SAFE_ON_RESUME):
        raise UserError(
            f"{', '.join(map(flag, changed))} cannot change on --resume: the run keeps its own "
            "settings."
        )
    stored = RunDirectory(resume).read_settings()
    return from_mapping({**vars(stored), **given}), True, False


def report(settings: TrainSettings, summary: Summary) -> None:
    """Prints what came out of the run and what to do with it."""
    if not summary.finished:
        print(f"Saved after step {summary.step}. Resume with:")
        print(f"  python -m train --resume {settings.output}")
        return
    measured = "not measured" if summary.ap is None else f"{summary.ap:.4f}"
    print(f"Weights: {summary.weights}   AP: {measured}")
    print("See them on the page, or measure them:")
    print(f"  python app.py --weights-dir {settings.output.resolve().parent}")
    data = f"--annotations {settings.annotations}"
    if settings.images:
        data += f" --images {settings.images}"
    if settings.data:
        data = f"--data {settings.data} --split {settings.val_split or settings.train_split}"
    print(
        f"  python -m train.evaluate {data} "
        f"--weights {summary.weights} --preset balanced --output metrics.json"
    )


if __name__ == "__main__":
    sys.exit(main())
