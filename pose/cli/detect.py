"""python -m pose detect: people in photos, folders and videos, as files."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from pose.cli.detect_files import (
    Input,
    Options,
    detect_photos,
    detect_video,
    draw_video,
    followed,
)
from pose.cli.detect_output import (
    FORMATS,
    Detected,
    angles_text,
    check_angles,
    check_output,
    check_overlay,
    count_people,
    say,
    write_detected,
)
from pose.cli.distributed import joined_processes, own_device
from pose.cli.inputs import find_files, is_video, unique_stems
from pose.cli.rotation import QUARTER_TURNS
from pose.decoding.decode import DecodeSettings
from pose.errors import UserError
from pose.files import write_text
from pose.images.video import count_frames
from pose.presets import ENGINES, PRECISIONS, PRESETS

if TYPE_CHECKING:
    from pose.estimator import PoseEstimator

DEFAULTS = DecodeSettings()
THRESHOLDS = ("peak_threshold", "limb_threshold", "samples_needed", "min_parts", "min_score")


def add_parsers(subparsers: argparse._SubParsersAction) -> None:
    """Declares `detect`."""
    parser = subparsers.add_parser(
        "detect",
        help="find people in photos, folders and videos",
        description="Finds people and writes them as COCO results, OpenPose JSON, CSV or TRC.",
        epilog="Exit status: 0 when every input was read; 2 when some were not: each of those is a "
        "line on standard error, and the results of the others are written all the same. Ctrl-C "
        "keeps what is done. Over several GPUs or machines: accelerate launch -m pose detect …, or "
        "torchrun --nproc-per-node N -m pose detect …; the first process writes all results.",
    )
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT",
        help="a photo, a video, a folder of them, or a pattern such as '*.jpg'")  # fmt: skip
    add("--weights", default="mobilenet-thin", metavar="NAME|FILE|HUB_ID")
    add("--weights-dir", metavar="DIR", help="folder of training runs (default runs)")
    add("--preprocessing", metavar="NAME", help="overrule the checkpoint's own normalisation")
    add("--preset", default="balanced", choices=PRESETS)
    add("--format", default="coco", choices=FORMATS)
    add(
        "--output",
        metavar="FILE|DIR",
        help="default: standard output; openpose writes one file for each photo or frame,"
        " so for several photos or a video this is a folder; trc one for each person of a video",
    )
    add("--angles", metavar="FILE.csv", help="also write the angles of knees, hips, elbows, …")
    add("--overlay", metavar="DIR", help="also draw the skeletons: PNG, or MP4 for a video")
    add("--on-black", action="store_true", help="draw them on black instead of the photo")
    add("--draw-angles", action="store_true", help="write angles beside the joints")
    add("--track", action=argparse.BooleanOptionalAction, default=True,
        help="track ids for the people of a video (default: yes)")  # fmt: skip
    add("--smooth", action=argparse.BooleanOptionalAction, default=True,
        help="drop people seen only for a moment, fill short gaps and smooth the paths of a video's"
        " keypoints (default: yes, with --track)")  # fmt: skip
    add("--rotate", default="0", choices=QUARTER_TURNS,
        help="degrees clockwise that turn a photo upright; auto tries all four")  # fmt: skip
    add("--device", default="auto", metavar="auto|cpu|cuda")
    add("--engine", default="auto", choices=ENGINES, help="what runs the network on the CPU")
    add("--precision", default="auto", choices=PRECISIONS)
    add("--batch-size", type=int, default=8, help="photos that run together on a GPU (default 8)")
    for name in THRESHOLDS:
        default = getattr(DEFAULTS, name)
        option = f"--{name.replace('_', '-')}"
        add(option, type=type(default), default=default, help=f"default {default}")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Detects and writes what was found; every process of a launcher does its share.

    Raises:
        UserError: an input could not be read; the results of the others are written first.
    """
    from accelerate.utils import gather_object

    from pose.estimator import PoseEstimator

    if args.batch_size < 1:
        raise UserError(f"--batch-size is at least 1, not {args.batch_size}")
    for option in ("on_black", "draw_angles"):
        if getattr(args, option) and not args.overlay:
            flag = option.replace("_", "-")
            raise UserError(f"--{flag} is for overlays: name their folder by --overlay")
    settings = DEFAULTS.changed(**{name: getattr(args, name) for name in THRESHOLDS})
    files = find_files(args.inputs)
    stems = unique_stems(files)
    inputs = [
        Input(number, path, is_video(path), stem)
        for number, (path, stem) in enumerate(zip(files, stems, strict=True))
    ]
    overlay = Path(args.overlay) if args.overlay else None
    if overlay:
        check_overlay(overlay, files)
    check_output(args.format, args.output, several=len(inputs) > 1 or inputs[0].video)
    check_angles(args.angles, args.output)
    if args.format == "trc" and not (args.track and all(one.video for one in inputs)):
        raise UserError("--format trc is for the people of videos: leave out photos and --no-track")
    turns = QUARTER_TURNS[args.rotate]
    options = Options(
        args.batch_size,
        turns,
        args.track,
        args.track and args.smooth,
        overlay,
        args.on_black,
        args.draw_angles,
    )
    with joined_processes() as processes:
        estimator = PoseEstimator.from_pretrained(
            args.weights,
            device=own_device(processes, args.device),
            preset=args.preset,
            settings=settings,
            preprocessing=args.preprocessing,
            weights_dir=args.weights_dir,
            engine=args.engine,
            precision=args.precision,
        )
        if processes.is_main_process:
            for note in estimator.notes:
                say(note)
        own = inputs[processes.process_index :: processes.num_processes]
        detected: list[Detected] = []
        stopped = False
        try:
            detect_all(estimator, own, options, detected, quiet=not processes.is_main_process)
        except KeyboardInterrupt:
            if processes.num_processes > 1 or not detected:
                raise
            stopped = True
        detected = sorted(gather_object(detected), key=lambda one: one.file_number)
        if not processes.is_main_process:
            return 0
    good = [one for one in detected if not one.problem]
    problems = [one.problem for one in detected if one.problem]
    if good:
        write_detected(args.format, good, stems, args.output)
        if args.angles:
            write_text(args.angles, angles_text(good))
        unit = "frames" if all(one.frame for one in good) else "photos"
        say(f"{count_people(good)} people in {len(good)} of {len(detected)} {unit}")
    if stopped:
        say("stopped: the results up to here were written")
        return 130
    for line in problems[:-1]:
        say(f"skipped: {line}")
    if problems:
        raise UserError(problems[-1])
    return 0


def detect_all(
    estimator: PoseEstimator,
    inputs: list[Input],
    options: Options,
    detected: list[Detected],
    quiet: bool,
) -> None:
    """Appends the people of every photo and frame to `detected`, with a progress bar."""
    from tqdm import tqdm

    counts = [count_frames(one.path) if one.video else 1 for one in inputs]
    total = sum(counts) if all(counts) else None
    bar = tqdm(total=total, unit="photo", disable=quiet or total == 1, file=sys.stderr)
    with bar:
        # Photos run together; each video by itself.
        for _, group in groupby(inputs, key=lambda one: one.number if one.video else -1):
            files = list(group)
            detect = detect_video if files[0].video else detect_photos
            found: list[Detected] = []
            try:
                with closing(detect(estimator, files, options)) as results:
                    for one in results:
                        found.append(one)
                        bar.update()
            finally:  # what was found before Ctrl-C is kept
                detected += finished_video(files[0], found, options) if files[0].video else found


def finished_video(video: Input, found: list[Detected], options: Options) -> list[Detected]:
    """A clip's people followed through it, and its overlay drawn."""
    if options.track:
        found = followed(found, options.smooth)
    if options.overlay:
        draw_video(video, found, options, options.overlay / f"{video.stem}.mp4")
    return found
