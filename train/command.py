"""What `python -m train` does: its options, the training, and what it says at the end."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pose.errors import UserError
from train.run_directory import RunDirectory
from train.settings import SAFE_ON_RESUME, TrainSettings, add_options, flag, from_mapping


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train",
        description="Train a pose network on COCO keypoints.",
        epilog="On several GPUs or machines: accelerate launch -m train ..., or "
        "torchrun --nproc-per-node 2 -m train ..., with the same options.",
    )
    add_options(parser)
    parser.add_argument(
        "--resume",
        metavar="RUN_DIR",
        type=Path,
        help="Go on with an interrupted run by its own settings.",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="Replace an earlier run in --output."
    )
    return parser


def settings_from(arguments: argparse.Namespace) -> tuple[TrainSettings, bool, bool]:
    """The settings, whether to resume, whether to overwrite.

    Raises:
        UserError: options are missing or contradict each other.
    """
    given = vars(arguments).copy()
    resume, overwrite = given.pop("resume"), given.pop("overwrite")
    if resume is None:
        return from_mapping(given), False, overwrite
    changed = sorted(set(given) - SAFE_ON_RESUME)
    if changed:
        raise UserError(
            f"{', '.join(map(flag, changed))} cannot change on --resume: the run goes on by its "
            "own settings."
        )
    stored = RunDirectory(resume).read_settings()
    return from_mapping({**vars(stored), **given}), True, False


def run(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0 when finished or interrupted, 2 for a user's mistake."""
    arguments = make_parser().parse_args(argv)
    try:
        settings, resume, overwrite = settings_from(arguments)
        from train.launch import train

        summary = train(settings, resume=resume, overwrite=overwrite)
    except UserError as error:
        if type(error).__name__ != "ToldElsewhere":
            print(error, file=sys.stderr)
        return 2
    if is_main():
        tell_end(settings, summary)
    return 0


def is_main() -> bool:
    """Whether this is the process that talks."""
    from accelerate import PartialState

    return PartialState().is_main_process


def tell_end(settings: TrainSettings, summary) -> None:
    """What came out and what to do with it."""
    if not summary.finished:
        print(f"Saved after step {summary.step}. Go on with:")
        print(f"  python -m train --resume {settings.output}")
        return
    measured = "not measured" if summary.ap is None else f"{summary.ap:.4f}"
    split = settings.val_split or "val2017"
    print(f"Weights: {summary.weights}   AP: {measured}")
    print("Look at them:")
    print(f"  python app.py --weights-dir {settings.output.resolve().parent}")
    print(
        f"  python -m train.evaluate --data {settings.data} --split {split} "
        f"--weights {summary.weights} --preset balanced --output metrics.json"
    )
