"""python -m pose detect: people in photos, folders and videos, as files."""

from __future__ import annotations

import argparse
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pose.answers import Answer, Journal, people_from
from pose.commands.detect_files import (
    WRITERS,
    Overlays,
    check_output,
    check_overlay,
    drawn,
    say,
    warn_of_repeated_ids,
)
from pose.decode import DecodeSettings
from pose.errors import UserError
from pose.names import ENGINES, PRECISIONS
from pose.pipeline import ahead
from pose.presets import PRESETS
from pose.ranks import Ranks, joined_ranks
from pose.results import PoseResult
from pose.sources import Source, count_sources, every_source, find_files

if TYPE_CHECKING:
    from pose.estimator import PoseEstimator

DEFAULTS = DecodeSettings()
THRESHOLDS = ("peak_threshold", "limb_threshold", "samples_needed", "min_parts", "min_score")


def add_parsers(subparsers: argparse._SubParsersAction) -> None:
    """Declares `detect`."""
    parser = subparsers.add_parser(
        "detect",
        help="find people in photos, folders of photos and videos",
        description="Finds people and writes them as COCO results, OpenPose JSON or CSV.",
        epilog="Exit status: 0 when every input was answered; 2 when some were not: each of those "
        "is a line on standard error, and the answers for the others are written all the same. "
        "Over several GPUs or machines: accelerate launch -m pose detect …, or "
        "torchrun --nproc-per-node N -m pose detect …; the first process writes what all found.",
    )
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT", help="a photo, a folder of photos, or a video")
    add("--weights", default="mobilenet-thin", metavar="NAME|FILE|HUB_ID")
    add("--weights-dir", metavar="DIR", help="folder of training runs (default runs)")
    add("--preprocessing", metavar="NAME", help="overrule the checkpoint's own normalisation")
    add("--preset", default="balanced", choices=PRESETS)
    add("--format", default="coco", choices=WRITERS)
    add(
        "--output",
        metavar="FILE",
        help="where to (default: standard output); openpose writes one file for each photo,"
        " so for several photos this is a folder",
    )
    add("--overlay", metavar="DIR", help="also draw the skeletons: PNG, or MP4 for a video")
    add("--device", default="auto", metavar="auto|cpu|cuda")
    add("--engine", default="auto", choices=ENGINES, help="what runs the network on the CPU")
    add("--precision", default="auto", choices=PRECISIONS)
    add("--batch-size", type=int, default=8, help="photos that run together on a GPU (default 8)")
    add("--resume", action="store_true", help="go on with a stopped run that had an --output")
    for name in THRESHOLDS:
        default = getattr(DEFAULTS, name)
        option = f"--{name.replace('_', '-')}"
        add(option, type=type(default), default=default, help=f"default {default}")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Detects and writes what was found; every process of a launcher does its share.

    Raises:
        UserError: an input could not be read; the answers for the others are written first.
    """
    from pose.estimator import PoseEstimator

    if args.batch_size < 1:
        raise UserError(f"--batch-size is at least 1, not {args.batch_size}")
    if args.resume and not args.output:
        raise UserError("--resume goes on with a file: name it by --output")
    settings = DEFAULTS.changed(**{name: getattr(args, name) for name in THRESHOLDS})
    files = find_files(args.inputs)
    if args.overlay:
        check_overlay(Path(args.overlay), files)
    count = count_sources(files)
    check_output(args.format, args.output, several=count != 1)
    with joined_ranks() as ranks:
        estimator = PoseEstimator.from_pretrained(
            args.weights,
            device=ranks.device(args.device),
            preset=args.preset,
            settings=settings,
            preprocessing=args.preprocessing,
            weights_dir=args.weights_dir,
            engine=args.engine,
            precision=args.precision,
        )
        if ranks.first:
            for note in estimator.notes:
                say(note)
        journal = None
        if args.output and count != 1:
            journal = Journal(Path(args.output), identity(args, estimator), ranks.rank)
        earlier = journal.read() if journal and args.resume else {}
        if journal:
            ranks.wait()  # every process has read before one starts anew
            if ranks.first:
                # Its journal has every earlier answer before the others' go.
                journal.open(earlier)
                journal.delete_others()
            ranks.wait()
            if not ranks.first:
                journal.open({})
        try:
            mine = answer_share(args, estimator, files, count, ranks, journal, earlier)
            answers = sorted(ranks.gathered(mine), key=lambda answer: answer.place)
        finally:
            if journal:
                journal.close()
        if not ranks.first:
            return 0
        write_answers(args, answers)
        if journal:
            journal.delete()
    problems = [answer.problem for answer in answers if answer.problem]
    for line in problems[:-1]:
        say(f"skipped: {line}")
    if problems:
        raise UserError(problems[-1])
    return 0


def identity(args: argparse.Namespace, estimator: PoseEstimator) -> dict[str, Any]:
    """What the answers of a run depend on, beside the photos."""
    return {
        "weights": estimator.weights.sha256,
        "preprocessing": estimator.weights.preprocessing.name,
        "preset": asdict(estimator.preset),
        "decoder": asdict(estimator.settings),
        "engine": [estimator.engine.name, estimator.engine.precision],
        "overlay": args.overlay,
    }


def answer_share(
    args: argparse.Namespace,
    estimator: PoseEstimator,
    files: list[Path],
    count: int,
    ranks: Ranks,
    journal: Journal | None,
    earlier: Mapping[str, Mapping[str, Any]],
) -> list[Answer]:
    """This process's answers; the first one's hold those of an earlier run as well."""
    from tqdm import tqdm

    answers: list[Answer] = []
    overlays = Overlays(Path(args.overlay)) if args.overlay else None

    def wanted(source: Source) -> bool:
        if overlays:
            overlays.name(source)
        # A video's overlay is one file, so that one process draws all of it.
        whole = overlays is not None and source.frame is not None
        known = None if whole else earlier.get(source.key)
        if known is None:
            return ranks.has(source.file_place if whole else source.place)
        if ranks.first:
            people = people_from(known["people"])
            answers.append(Answer(source.place, source.path, source.stem, people))
        return False

    share = -(-count // ranks.count)
    bar = tqdm(
        total=share or None,
        unit="photo",
        disable=count == 1 or not ranks.first,
        file=sys.stderr,
    )
    sources = every_source(files, wanted)
    with bar, overlays or nullcontext():
        for source, result, picture in looked_at(estimator, sources, args.batch_size, overlays):
            problem = str(result) if isinstance(result, UserError) else None
            people = () if problem else result.people
            answer = Answer(source.place, source.path, source.stem, people, problem)
            answers.append(answer)
            if picture is not None:
                overlays.write(source, picture)
            if not problem:
                for note in result.notes[len(estimator.notes) :]:
                    say(f"{source.stem}: {note}")
            if journal:
                journal.add(source.key, answer)
            bar.update()
    return answers


def looked_at(
    estimator: PoseEstimator, sources: Iterable[Source], batch_size: int, draw: object
) -> Iterator[tuple[Source, PoseResult | UserError, Any]]:
    """Each source with its result and, with `draw`, its overlay (see `detect_files.drawn`)."""
    waiting: deque[Source] = deque()

    def readers() -> Iterator[Callable]:
        for source in sources:
            waiting.append(source)
            yield source.read

    results = estimator.stream(readers(), batch_size=batch_size, keep_errors=True)
    pairs = ((waiting.popleft(), result) for result in results)

    def finished(pair: tuple[Source, PoseResult | UserError]) -> tuple:
        source, result = pair
        picture = None
        if draw and not isinstance(result, UserError):
            picture = drawn(source, result.people)
        source.drop()
        return source, result, picture

    return ahead(finished, pairs, 2, 2) if draw else map(finished, pairs)


def write_answers(args: argparse.Namespace, answers: list[Answer]) -> None:
    """Writes what was found and says how much that is."""
    good = [answer for answer in answers if not answer.problem]
    if not good:
        return
    WRITERS[args.format](good, args.output)
    warn_of_repeated_ids(good, args.format)
    people = sum(len(answer.people) for answer in good)
    say(f"{people} people in {len(good)} of {len(answers)} photos")
