"""python -m pose detect: people in photos, folders and videos, as files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from pose.decode import DecodeSettings
from pose.errors import UserError
from pose.export import (
    coco_results,
    csv_rows,
    csv_text,
    image_id_of,
    json_text,
    openpose_json,
    write_bytes_atomically,
    write_text_atomically,
)
from pose.presets import PRESETS
from pose.render import draw_people
from pose.results import Person
from pose.sources import Source, count_sources, find_files, open_sources
from pose.video import VideoWriter, frames_per_second

DEFAULTS = DecodeSettings()
THRESHOLDS = ("peak_threshold", "limb_threshold", "samples_needed", "min_parts", "min_score")


def add_parsers(subparsers: argparse._SubParsersAction) -> None:
    """Declares `detect`."""
    parser = subparsers.add_parser(
        "detect",
        help="find people in photos, folders of photos and videos",
        description="Finds people and writes them as COCO results, OpenPose JSON or CSV.",
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
    add("--batch-size", type=int, default=8, help="photos that run together on a GPU (default 8)")
    for name in THRESHOLDS:
        default = getattr(DEFAULTS, name)
        option = f"--{name.replace('_', '-')}"
        add(option, type=type(default), default=default, help=f"default {default}")
    parser.set_defaults(run=run)


@dataclass(frozen=True)
class Answer:
    """The people of one photo or frame."""

    path: Path
    stem: str
    image_id: int
    people: tuple[Person, ...]


def run(args: argparse.Namespace) -> int:
    """Detects and writes what was found.

    Raises:
        UserError: an input could not be read; the answers for the others are written first.
    """
    from tqdm import tqdm

    from pose.estimator import PoseEstimator

    if args.batch_size < 1:
        raise UserError(f"--batch-size is at least 1, not {args.batch_size}")
    settings = DEFAULTS.changed(**{name: getattr(args, name) for name in THRESHOLDS})
    files = find_files(args.inputs)
    if args.overlay:
        check_overlay(Path(args.overlay), files)
    estimator = PoseEstimator.from_pretrained(
        args.weights,
        device=args.device,
        preset=args.preset,
        settings=settings,
        preprocessing=args.preprocessing,
        weights_dir=args.weights_dir,
    )
    for note in estimator.weights.notes:
        say(note)
    sources, failures = open_sources(files)
    size = args.batch_size if estimator.device.type == "cuda" else 1
    answers: list[Answer] = []
    overlays = Overlays(Path(args.overlay)) if args.overlay else None
    count = count_sources(files)
    bar = tqdm(total=count or None, unit="photo", disable=count == 1, file=sys.stderr)
    with bar, overlays or nullcontext():
        for batch in in_batches(sources, size):
            results = estimator.batch([source.pixels for source in batch])
            for source, result in zip(batch, results, strict=True):
                number = image_id_of(source.stem, len(answers) + 1)
                answers.append(Answer(source.path, source.stem, number, result.people))
                if overlays:
                    overlays.write(source, draw_people(source.pixels, result.people))
                for note in result.notes[len(estimator.weights.notes) :]:
                    say(f"{source.stem}: {note}")
                bar.update()
    if answers:
        WRITERS[args.format](answers, args.output)
        warn_of_repeated_ids(answers, args.format)
        people = sum(len(answer.people) for answer in answers)
        say(f"{people} people in {len(answers)} of {len(answers) + len(failures)} photos")
    if failures:
        for line in failures[:-1]:
            say(f"skipped: {line}")
        raise UserError(failures[-1])
    return 0


def say(line: str) -> None:
    print(line, file=sys.stderr)


def in_batches(sources: Iterable[Source], size: int) -> Iterator[list[Source]]:
    """Lists of up to `size` sources."""
    iterator = iter(sources)
    while batch := list(islice(iterator, size)):
        yield batch


def check_overlay(folder: Path, files: list[Path]) -> None:
    """Refuses a folder in which an overlay would replace a photo that is read."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--overlay {folder} is a file: name a folder")
    if any(path.resolve().parent == folder.resolve() for path in files):
        raise UserError(f"--overlay {folder} holds the inputs: name another folder")


class FreeNames:
    """File names in a folder; photos of one name from two folders get a number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.taken: set[str] = set()

    def path(self, stem: str, suffix: str) -> Path:
        """A path that was not given out before."""
        name, number = stem + suffix, 1
        while name in self.taken:
            number += 1
            name = f"{stem}-{number}{suffix}"
        self.taken.add(name)
        return self.folder / name


class Overlays:
    """Writes a PNG for each photo and an MP4 for each video; a context manager."""

    def __init__(self, folder: Path) -> None:
        self.names = FreeNames(folder)
        self.video: VideoWriter | None = None
        self.video_path: Path | None = None

    def __enter__(self) -> Overlays:
        return self

    def __exit__(self, *error: object) -> None:
        self.finish_video()

    def finish_video(self) -> None:
        if self.video:
            self.video.close()
        self.video = self.video_path = None

    def write(self, source: Source, picture: np.ndarray) -> None:
        """Adds one picture, RGB uint8 (H, W, 3)."""
        if source.frame is None:
            self.finish_video()
            ok, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
            if not ok:
                raise UserError(f"the overlay of {source.path.name} cannot be written as PNG")
            write_bytes_atomically(self.names.path(source.stem, ".png"), data.tobytes())
            return
        if self.video_path != source.path:
            self.finish_video()
            self.video_path = source.path
            target = self.names.path(source.path.stem, ".mp4")
            self.video = VideoWriter(target, frames_per_second(source.path))
        self.video.add(picture)


def write_coco(answers: Sequence[Answer], output: str | None) -> None:
    """One results list for all photos."""
    rows = [row for a in answers for row in coco_results(a.people, a.image_id, a.path.name)]
    write_or_print(json_text(rows), output)


def write_csv(answers: Sequence[Answer], output: str | None) -> None:
    """One table for all photos."""
    rows = [row for a in answers for row in csv_rows(a.people, file_label(a))]
    write_or_print(csv_text(rows), output)


def file_label(answer: Answer) -> str:
    """The file's name; for a frame of a video, the name it would have as a photo."""
    return answer.path.name if answer.stem == answer.path.stem else answer.stem


def write_openpose(answers: Sequence[Answer], output: str | None) -> None:
    """One file for one photo; for several, a folder with `NAME_keypoints.json` each."""
    if len(answers) == 1 and not (output and Path(output).is_dir()):
        write_or_print(json_text(openpose_json(answers[0].people)), output)
        return
    if output is None:
        raise UserError("--format openpose writes a file for each photo: name a folder by --output")
    if Path(output).is_file():
        raise UserError(f"--output {output} is a file: for several photos name a folder")
    names = FreeNames(Path(output))
    for answer in answers:
        target = names.path(answer.stem, "_keypoints.json")
        write_text_atomically(target, json_text(openpose_json(answer.people)))


WRITERS = {"coco": write_coco, "openpose": write_openpose, "csv": write_csv}


def write_or_print(text: str, output: str | None) -> None:
    if output is None:
        sys.stdout.write(text)
    else:
        write_text_atomically(output, text)


def warn_of_repeated_ids(answers: Sequence[Answer], form: str) -> None:
    """COCO files know a photo by its number alone; says so where two photos share one."""
    numbers = [answer.image_id for answer in answers]
    if form == "coco" and len(set(numbers)) < len(numbers):
        say("several photos share an image_id (the last digits of their names); see file_name")
