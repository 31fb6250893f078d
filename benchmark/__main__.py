"""python -m benchmark: speed as ratios, with the machine they were measured on."""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmark import inference, start, training, video
from benchmark.subjects import RANDOM, find_photos, find_weights
from benchmark.timing import Row, table_text
from pose.engines.device import cpu_has_bf16, pick_device
from pose.errors import UserError
from pose.estimator import PoseEstimator
from pose.files import write_text
from pose.presets import ENGINES
from train.evaluation.machine import hardware_line, library_versions
from train.evaluation.metrics_file import without_nan

CPU_PARTS = ("engines", "decoder", "end-to-end", "folder", "video", "start")
GPU_PARTS = ("batches", "folder", "video")
PARTS = tuple(dict.fromkeys(CPU_PARTS + GPU_PARTS))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0 on success, 2 with one line on stderr for a user's mistake."""
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        if given[:1] == ["training"]:
            return training.run(given[1:])
        return run(build_parser().parse_args(given), given)
    except UserError as error:
        print(f"python -m benchmark: {error}", file=sys.stderr)
        return 2


def build_parser() -> argparse.ArgumentParser:
    """The options of everything but training."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmark",
        description="Runs what is compared in alternation and prints ratios of medians.",
        epilog="The loader and a training step: python -m benchmark training --help",
    )
    add = parser.add_argument
    add(
        "--weights",
        default="mobilenet-thin",
        metavar="NAME|FILE|HUB_ID",
        help="or random-openpose: the VGG-19 network with random weights, to measure its speed",
    )
    add("--weights-dir", metavar="DIR", help="folder of training runs (default runs)")
    add("--photos", metavar="DIR", help="photos to measure on (default: the bundled examples)")
    add("--limit", type=int, default=32, metavar="N", help="at most N photos (default 32)")
    add("--rounds", type=int, default=15, metavar="N", help="runs of each case (default 15)")
    add("--engine", choices=ENGINES, default="auto", help="measure only this engine")
    add(
        "--parts",
        metavar="PART,PART",
        help=f"on the CPU {', '.join(CPU_PARTS)}, on a GPU {', '.join(GPU_PARTS)} (default: all)",
    )
    add("--device", default="auto", metavar="auto|cpu|cuda")
    add("--json", metavar="FILE", help="also write the results to FILE")
    return parser


def run(args: argparse.Namespace, argv: Sequence[str]) -> int:
    """Measures, prints the tables and writes the JSON file.

    Raises:
        UserError: unknown parts, weights or photos, or a file that cannot be written.
    """
    if args.limit < 1 or args.rounds < 1:
        raise UserError("--limit and --rounds must be at least 1")
    device = pick_device(args.device)
    parts = chosen_parts(args.parts, device)
    machine = {
        "hardware": hardware_line(device),
        "bf16 on the CPU": "yes" if cpu_has_bf16() else "no",
        "system": platform.platform(),
        **library_versions(),
    }
    print("\n".join(f"{name}: {value}" for name, value in machine.items()), "\n", flush=True)
    rows: list[Row] = []
    for part in parts:
        print(f"measuring: {part}", file=sys.stderr, flush=True)
        rows += measure(part, args, device)
    print(table_text(rows))
    if args.json:
        command = shlex.join(["python", "-m", "benchmark", *argv])
        content = {"command": command, "machine": machine, "rows": [asdict(row) for row in rows]}
        write_text(args.json, json.dumps(without_nan(content), indent=2) + "\n")
    return 0


def chosen_parts(named: str | None, device: torch.device) -> list[str]:
    """The parts to measure.

    Raises:
        UserError: no such part, or not on this device.
    """
    here = GPU_PARTS if device.type == "cuda" else CPU_PARTS
    if named is None:
        return list(here)
    parts = [part.strip() for part in named.split(",")]
    for part in parts:
        if part not in PARTS:
            raise UserError(f"no part is called {part!r}: choose {', '.join(PARTS)}")
        if part not in here:
            other = "cpu" if device.type == "cuda" else "cuda"
            raise UserError(f"the part {part} needs --device {other}")
    return parts


def measure(part: str, args: argparse.Namespace, device: torch.device) -> list[Row]:
    """The rows of one part; each loads its own weights, because engines modify the network."""
    weights = find_weights(args.weights, args.weights_dir)
    photos = find_photos(args.photos, args.limit, weights)
    if part == "engines":
        return inference.measure_engines(weights, photos, args.rounds, args.engine)
    if part == "decoder":
        return inference.measure_decoder(weights, photos, args.rounds)
    if part == "start":
        return [] if args.weights.startswith(RANDOM) else start.measure_start(args.weights, photos)
    if part == "batches":
        return inference.measure_batches(weights, device, args.rounds)
    estimator = PoseEstimator(weights, device=args.device, preset="fast", engine=args.engine)
    if part == "end-to-end":
        return inference.measure_end_to_end(estimator, photos, args.rounds)
    if part == "video":
        with TemporaryDirectory() as folder:
            return video.measure_video(estimator, Path(folder), args.rounds)
    return inference.measure_folder(estimator, photos)


if __name__ == "__main__":
    sys.exit(main())
