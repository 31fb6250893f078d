"""The files that detect writes: COCO results, OpenPose JSON, CSV, and overlays."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from pose.answers import Answer
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
from pose.render import draw_people
from pose.results import Person
from pose.sources import Source
from pose.video import VideoWriter, frames_per_second


def say(line: str) -> None:
    print(line, file=sys.stderr)


def check_overlay(folder: Path, files: list[Path]) -> None:
    """Refuses a folder in which an overlay would replace a photo that is read."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--overlay {folder} is a file: name a folder")
    if any(path.resolve().parent == folder.resolve() for path in files):
        raise UserError(f"--overlay {folder} holds the inputs: name another folder")


def check_output(form: str, output: str | None, several: bool) -> None:
    """Refuses where the answers could not be written when all are there."""
    path = Path(output).resolve() if output else None
    if path and not path.name:
        raise UserError(f"--output {output} cannot be written: name a file or folder in it")
    if form != "openpose":
        if path and path.is_dir():
            raise UserError(f"--output {output} is a folder: name a file")
    elif several and path is None:
        raise UserError("--format openpose writes a file for each photo: name a folder by --output")
    elif several and path.is_file():
        raise UserError(f"--output {output} is a file: for several photos name a folder")


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


def drawn(source: Source, people: Sequence[Person]) -> np.ndarray | bytes:
    """The skeletons over a source: a PNG's bytes, for a frame RGB uint8 (H, W, 3)."""
    picture = draw_people(source.read(), people)
    if source.frame is not None:
        return picture
    ok, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not ok:
        raise UserError(f"the overlay of {source.path.name} cannot be written as PNG")
    return data.tobytes()


class Overlays:
    """Writes a PNG for each photo and an MP4 for each video; a context manager."""

    def __init__(self, folder: Path) -> None:
        self.names = FreeNames(folder)
        self.video: VideoWriter | None = None
        self.video_place: int | None = None
        self.paths: dict[object, Path] = {}

    def __enter__(self) -> Overlays:
        return self

    def __exit__(self, *error: object) -> None:
        self.finish_video()

    def finish_video(self) -> None:
        if self.video:
            self.video.close()
        self.video = self.video_place = None

    def name(self, source: Source) -> None:
        """Chooses the file of a source.

        Told all sources in order, whoever draws them: the names do not depend on who does.
        """
        if source.frame is None:
            self.paths[source.place] = self.names.path(source.stem, ".png")
        elif source.frame == 1:
            self.paths[source.file_place, "video"] = self.names.path(source.path.stem, ".mp4")

    def write(self, source: Source, picture: np.ndarray | bytes) -> None:
        """Adds what `drawn` made of one source."""
        if isinstance(picture, bytes):
            self.finish_video()
            write_bytes_atomically(self.paths.pop(source.place), picture)
            return
        if self.video_place != source.file_place:
            self.finish_video()
            self.video_place = source.file_place
            target = self.paths.pop((source.file_place, "video"))
            self.video = VideoWriter(target, frames_per_second(source.path))
        self.video.add(picture)


def image_ids(answers: Sequence[Answer]) -> list[int]:
    """COCO's number of each photo: the last digits of its name, else its place in the list."""
    return [image_id_of(answer.stem, place) for place, answer in enumerate(answers, start=1)]


def write_coco(answers: Sequence[Answer], output: str | None) -> None:
    """One results list for all photos."""
    numbers = image_ids(answers)
    rows = [
        row
        for a, number in zip(answers, numbers, strict=True)
        for row in coco_results(a.people, number, a.path.name)
    ]
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
    check_output("openpose", output, several=True)  # a video may have announced one frame
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
    numbers = image_ids(answers)
    if form == "coco" and len(set(numbers)) < len(numbers):
        say("several photos share an image_id (the last digits of their names); see file_name")
