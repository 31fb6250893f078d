"""python -m pose benchmark: speed as ratios, with the machine it was measured on."""

from __future__ import annotations

import argparse
import json
import math
import shlex
import sys
from dataclasses import asdict

from pose.errors import UserError
from pose.names import ENGINES

CPU_PARTS = ("engines", "decoder", "end-to-end", "bulk", "start")
GPU_PARTS = ("gpu-network", "gpu-decoder", "gpu-folder")


def add_parsers(subparsers: argparse._SubParsersAction) -> None:
    """Declares `benchmark`."""
    parser = subparsers.add_parser(
        "benchmark",
        help="measure the speed of engines, decoder and bulk runs",
        description="Measures in one process, in turns, and prints ratios of medians.",
        epilog="A training step: python -m train.benchmark --steps 20 …",
    )
    add = parser.add_argument
    add(
        "--weights",
        default="mobilenet-thin",
        metavar="NAME|FILE|HUB_ID",
        help="or random-openpose: the VGG-19 network with weights drawn at random, for its speed",
    )
    add("--weights-dir", metavar="DIR", help="folder of training runs (default runs)")
    add("--photos", metavar="DIR", help="real photos (default: the bundled examples)")
    add("--limit", type=int, default=32, metavar="N", help="at most so many photos (default 32)")
    add("--rounds", type=int, default=15, metavar="N", help="runs of each case (default 15)")
    add("--engine", choices=ENGINES, help="measure only this one's engines")
    add(
        "--parts",
        metavar="PART,PART",
        help=f"only these: {', '.join(CPU_PARTS + GPU_PARTS)} (default: all that run here)",
    )
    add("--device", default="auto", metavar="auto|cpu|cuda")
    add("--compile", action="store_true", help="also torch.compile on the GPU, which is slow")
    add("--json", metavar="FILE", help="also write the figures there")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measures and prints.

    Raises:
        UserError: unknown parts, weights or photos, or a file that cannot be written.
    """
    from pose.benchmark.machine import machine_facts
    from pose.benchmark.timing import table_text
    from pose.engines import pick_device
    from pose.export import write_text_atomically

    if args.limit < 1 or args.rounds < 1:
        raise UserError("--limit and --rounds are at least 1")
    device = pick_device(args.device)
    parts = chosen_parts(args.parts, device.type == "cuda")
    facts = machine_facts(device)
    print("\n".join(f"{name}: {value}" for name, value in facts.items()), "\n", flush=True)
    rows = []
    for part in parts:
        print(f"measuring: {part}", file=sys.stderr, flush=True)
        rows += measure(part, args)
    print(table_text(rows))
    if args.json:
        figures = [
            {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in asdict(r).items()}
            for r in rows
        ]
        command = shlex.join(["python", "-m", "pose", *sys.argv[1:]])
        content = {"command": command, "machine": facts, "rows": figures}
        write_text_atomically(args.json, json.dumps(content, indent=2) + "\n")
    return 0


def chosen_parts(named: str | None, cuda: bool) -> list[str]:
    """The parts to measure.

    Raises:
        UserError: no such part, or not on this device.
    """
    if named is None:
        return [*CPU_PARTS, *(GPU_PARTS if cuda else ())]
    parts = [part.strip() for part in named.split(",")]
    for part in parts:
        if part not in CPU_PARTS + GPU_PARTS:
            raise UserError(
                f"no part is called {part!r}: choose {', '.join(CPU_PARTS + GPU_PARTS)}"
            )
        if part in GPU_PARTS and not cuda:
            raise UserError(f"the part {part} needs a CUDA device")
    return parts


def measure(part: str, args: argparse.Namespace) -> list:
    """The rows of one part; each begins with weights of its own, which engines change."""
    from pose.benchmark import on_cpu, on_gpu, start
    from pose.benchmark.subjects import RANDOM, find_photos, find_weights
    from pose.engines import pick_device
    from pose.estimator import PoseEstimator

    weights = find_weights(args.weights, args.weights_dir)
    photos = find_photos(args.photos, args.limit, weights)
    if part == "engines":
        return on_cpu.measure_engines(weights, photos, args.rounds, args.engine)
    if part == "decoder":
        return on_cpu.measure_decoder(weights, photos, args.rounds)
    if part == "start":
        return [] if args.weights.startswith(RANDOM) else start.measure_start(args.weights, photos)
    if part == "gpu-network":
        device = pick_device(args.device)
        return on_gpu.measure_network(weights, device, args.rounds, args.compile)
    if part in ("gpu-decoder", "gpu-folder"):
        estimator = PoseEstimator(weights, device=args.device, preset="fast")
        if part == "gpu-decoder":
            return on_gpu.measure_decoder(estimator, photos, args.rounds)
        return on_gpu.measure_folder(estimator, photos)
    engine = args.engine or "auto"
    estimator = PoseEstimator(weights, device="cpu", engine=engine, precision="auto")
    if part == "end-to-end":
        return on_cpu.measure_end_to_end(estimator, photos, args.rounds)
    return on_cpu.measure_bulk(estimator, photos)
