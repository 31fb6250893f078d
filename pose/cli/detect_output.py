"""The files that detect writes: COCO results, OpenPose JSON, CSV, TRC, angles, and overlays."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from pose.errors import UserError
from pose.export import (
    CSV_COLUMNS,
    FRAME_COLUMNS,
    FramePosition,
    coco_results,
    csv_rows,
    csv_text,
    image_id_of,
    json_text,
    openpose_json,
)
from pose.files import write_bytes, write_text
from pose.motion.angle_rows import ANGLE_COLUMNS, angle_rows
from pose.motion.trc import trc_text
from pose.person import Person

FOLDERS = ("openpose", "trc")
"""Formats with more than one file for a video."""


@dataclass(frozen=True)
class Detected:
    """The people in one photo or frame, or why there are none.

    Attributes:
        path: the file.
        file_number: its position among the inputs.
        people: best score first.
        image_size: (height, width) in pixels.
        frame: the position in the video; None for a photo.
        problem: why the file could not be used, or None.
    """

    path: Path
    file_number: int
    people: tuple[Person, ...] = ()
    image_size: tuple[int, int] = (0, 0)
    frame: FramePosition | None = None
    problem: str | None = None


def say(line: str) -> None:
    print(line, file=sys.stderr)


def count_people(detected: Sequence[Detected]) -> int:
    """How many people there are; somebody who is followed through a video counts once."""
    followed = {
        (one.file_number, number)
        for one in detected
        for number in (one.frame and one.frame.track_ids) or ()
    }
    untracked = (one for one in detected if one.frame is None or one.frame.track_ids is None)
    return len(followed) + sum(len(one.people) for one in untracked)


def check_overlay(folder: Path, files: list[Path]) -> None:
    """Refuses a folder in which an overlay would replace a photo that is read."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--overlay {folder} is a file: name a folder")
    if any(path.resolve().parent == folder.resolve() for path in files):
        raise UserError(f"--overlay {folder} holds the inputs: name another folder")


def check_output(form: str, output: str | None, several: bool) -> None:
    """Refuses, before anything is detected, an output that could not be written."""
    path = Path(output).resolve() if output else None
    if path and not path.name:
        raise UserError(f"--output {output} cannot be written: name a file or folder in it")
    if form not in FOLDERS:
        if path and path.is_dir():
            raise UserError(f"--output {output} is a folder: name a file")
    elif several and path is None:
        raise UserError(f"--format {form} writes several files: name a folder by --output")
    elif several and path and path.is_file():
        raise UserError(f"--output {output} is a file: for several photos or a video name a folder")


def check_angles(angles: str | None, output: str | None) -> None:
    """Refuses a file of angles that could not be written, or would replace the results."""
    if angles and Path(angles).is_dir():
        raise UserError(f"--angles {angles} is a folder: name a file")
    if angles and output and Path(angles).resolve() == Path(output).resolve():
        raise UserError("--angles and --output are the same file: name two")


def write_png(path: Path, picture: np.ndarray) -> None:
    """Writes RGB uint8 (H, W, 3) as PNG."""
    ok, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not ok:
        raise UserError(f"{path} cannot be encoded as PNG")
    write_bytes(path, data.tobytes())


def write_detected(
    form: str, detected: Sequence[Detected], stems: Sequence[str], output: str | None
) -> None:
    """Writes the people of all photos and frames, to standard output without `output`.

    Args:
        form: of `FORMATS`.
        detected: without those that have a problem.
        stems: the name of each input's files, without ending.
        output: a file; for TRC and for OpenPose's JSON of several photos or of a video, a folder.
    """
    WRITERS[form](detected, stems, output)


def write_coco(detected: Sequence[Detected], stems: Sequence[str], output: str | None) -> None:
    """One list of COCO results; says so where photos or frames share an image id."""
    ids = [
        d.frame.frame if d.frame else image_id_of(d.path.name, number)
        for number, d in enumerate(detected, start=1)
    ]
    if len(set(ids)) < len(ids):
        say("several images share an image_id (the last digits of a name, or a frame's number);"
            " file_name tells them apart")  # fmt: skip
    rows = (
        row
        for d, image_id in zip(detected, ids, strict=True)
        for row in coco_results(d.people, image_id, d.path.name, d.frame)
    )
    write_or_print(json_text(rows), output)


def write_csv(detected: Sequence[Detected], stems: Sequence[str], output: str | None) -> None:
    """One table; with columns for the frame, the time and the track id where there is a video."""
    columns: tuple[str, ...] = CSV_COLUMNS
    if any(d.frame for d in detected):
        columns += FRAME_COLUMNS
    rows = (row for d in detected for row in csv_rows(d.people, d.path.name, d.frame))
    write_or_print(csv_text(rows, columns), output)


def write_openpose(detected: Sequence[Detected], stems: Sequence[str], output: str | None) -> None:
    """One file for a single photo, else a folder with one for each photo and frame.

    A frame's file is called as OpenPose calls it: `NAME_000000000000_keypoints.json`, from 0.
    """
    folder = Path(output) if output else None
    single = len(stems) == 1 and not (folder and folder.is_dir())
    for d in detected:
        text = json_text(openpose_json(d.people, d.frame, d.image_size))
        if single and d.frame is None:
            write_or_print(text, output)
        elif folder:
            number = f"_{d.frame.frame:012d}" if d.frame else ""
            write_text(folder / f"{stems[d.file_number]}{number}_keypoints.json", text)


def write_trc(detected: Sequence[Detected], stems: Sequence[str], output: str | None) -> None:
    """A file for each person of each video: `NAME_person1.trc`."""
    people: dict[tuple[int, int], list[tuple[float, np.ndarray]]] = {}
    for d in detected:
        position = d.frame
        for number, person in zip((position and position.track_ids) or (), d.people, strict=True):
            places = people.setdefault((d.file_number, number), [])
            places.append((position.time if position else 0.0, person.keypoints))
    heights = {d.file_number: d.image_size[0] for d in detected}
    for (file, number), places in people.items():
        times, keypoints = zip(*places, strict=True)
        path = Path(output or ".") / f"{stems[file]}_person{number}.trc"
        write_text(path, trc_text(path.name, times, np.stack(keypoints), heights[file]))


def angles_text(detected: Sequence[Detected]) -> str:
    """The angles of everybody as CSV."""
    rows = (row for d in detected for row in angle_rows(d.people, d.path.name, d.frame))
    return csv_text(rows, ANGLE_COLUMNS)


def write_or_print(text: str, output: str | None) -> None:
    if output is None:
        sys.stdout.write(text)
    else:
        write_text(output, text)


WRITERS: dict[str, Callable[[Sequence[Detected], Sequence[str], str | None], None]] = {
    "coco": write_coco,
    "openpose": write_openpose,
    "csv": write_csv,
    "trc": write_trc,
}
FORMATS = tuple(WRITERS)
