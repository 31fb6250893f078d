"""People as COCO results, OpenPose JSON and CSV, and files written whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from pose.errors import UserError
from pose.results import Person
from pose.skeleton import COCO_TO_KEYPOINT, KEYPOINTS

COORDINATE_DECIMALS = 2
SCORE_DECIMALS = 6

CSV_COLUMNS = ("image", "person", "person_score", "keypoint", "x", "y", "score", "visible")

OPENPOSE_VERSION = 1.3
"""Version of the JSON layout that OpenPose 1.4 and later write."""

OPENPOSE_EMPTY = (
    "face_keypoints_2d",
    "hand_left_keypoints_2d",
    "hand_right_keypoints_2d",
    "pose_keypoints_3d",
    "face_keypoints_3d",
    "hand_left_keypoints_3d",
    "hand_right_keypoints_3d",
)
"""Keys that OpenPose's layout has beside the body's and that a body network leaves empty."""


def image_id_of(path: str | Path, running_number: int) -> int:
    """COCO image id of a file: the last run of digits in its name (without the ending).

    `000000000139.jpg` → 139. Without digits: `running_number`.
    """
    digits = re.findall(r"[0-9]+", Path(path).stem)
    return int(digits[-1]) if digits else running_number


def coco_results(people: Iterable[Person], image_id: int, file_name: str) -> list[dict]:
    """The official results list of the COCO keypoint task, with `file_name` added.

    Each entry has 51 numbers x, y, v in COCO's order. A found keypoint has v = 1, as COCO
    recommends for results (https://cocodataset.org/#format-results); a missing one is 0, 0, 0. The
    neck is not among COCO's keypoints, and a person with nothing but a neck is left out.
    """
    results = []
    for person in people:
        points = person.keypoints[list(COCO_TO_KEYPOINT)]
        found = is_found(points)
        if not found.any():
            continue
        numbers: list[float] = []
        for (x, y, _), there in zip(points, found, strict=True):
            numbers += [coordinate(x), coordinate(y), 1] if there else [0, 0, 0]
        results.append(
            {
                "image_id": image_id,
                "category_id": 1,
                "keypoints": numbers,
                "score": score(person.score),
                "file_name": file_name,
            }
        )
    return results


def openpose_json(people: Iterable[Person], ids: Sequence[int] | None = None) -> dict:
    """One photo's people in OpenPose's JSON layout, version 1.3.

    `pose_keypoints_2d` has 54 numbers x, y, score in the order of `pose.skeleton.KEYPOINTS`;
    a missing keypoint is 0, 0, 0. `ids` are the people's numbers in a video; without them
    `person_id` is [-1], as OpenPose writes it.
    """
    entries = []
    for i, person in enumerate(people):
        numbers: list[float] = []
        for (x, y, s), there in zip(person.keypoints, is_found(person.keypoints), strict=True):
            numbers += [coordinate(x), coordinate(y), score(s)] if there else [0, 0, 0]
        entries.append(
            {
                "person_id": [int(ids[i]) if ids is not None else -1],
                "pose_keypoints_2d": numbers,
                **{key: [] for key in OPENPOSE_EMPTY},
            }
        )
    return {"version": OPENPOSE_VERSION, "people": entries}


def csv_rows(people: Iterable[Person], image: str) -> list[dict[str, object]]:
    """18 rows a person, keyed by `CSV_COLUMNS`; x and y are empty where a keypoint is missing.

    People count from 1, as the overlay shows them.
    """
    rows: list[dict[str, object]] = []
    for number, person in enumerate(people, start=1):
        found = is_found(person.keypoints)
        for keypoint, (x, y, s), there in zip(KEYPOINTS, person.keypoints, found, strict=True):
            rows.append(
                {
                    "image": image,
                    "person": number,
                    "person_score": score(person.score),
                    "keypoint": keypoint.name,
                    "x": coordinate(x) if there else "",
                    "y": coordinate(y) if there else "",
                    "score": score(s) if there else 0.0,
                    "visible": int(there),
                }
            )
    return rows


def csv_text(rows: Iterable[Mapping[str, object]]) -> str:
    """Rows of `csv_rows`, of one photo or many, as CSV with a heading line."""
    # A field is quoted where it holds a part of the line's end: a lone "\r" only with this one.
    text = io.StringIO()
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator="\r\n")
    lines = []
    for row in ({name: name for name in CSV_COLUMNS}, *rows):
        writer.writerow(row)
        lines.append(text.getvalue().removesuffix("\r\n"))
        text.seek(0)
        text.truncate()
    return "".join(f"{line}\n" for line in lines)


def json_text(data: object) -> str:
    """JSON that is the same bytes for the same data; a list has one entry a line."""
    if isinstance(data, list):
        lines = ",\n".join(json_line(entry) for entry in data)
        return f"[\n{lines}\n]\n" if lines else "[]\n"
    return json_line(data) + "\n"


def json_line(data: object) -> str:
    # Plain ASCII, because pycocotools reads files in the machine's own encoding.
    return json.dumps(data, allow_nan=False)


def is_found(keypoints: np.ndarray) -> np.ndarray:
    """bool (n,): which keypoints of (n, 3) have a score and a place."""
    return (keypoints[:, 2] > 0) & np.isfinite(keypoints[:, :2]).all(1)


def coordinate(value: float) -> float:
    return round(float(value), COORDINATE_DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0


def score(value: float) -> float:
    return round(float(value), SCORE_DECIMALS) + 0.0


def write_text_atomically(path: str | Path, text: str) -> None:
    """Writes a UTF-8 file as a whole: whoever reads it sees the old file or the new one.

    Missing folders are made.

    Raises:
        UserError: the file cannot be written; a file that was there before is unharmed.
    """
    # A file name that is not Unicode holds lone surrogates, which UTF-8 cannot write.
    write_bytes_atomically(path, text.encode("utf-8", "backslashreplace"))


def write_bytes_atomically(path: str | Path, data: bytes) -> None:
    """As `write_text_atomically`, for bytes."""
    target = Path(path).resolve()  # a symbolic link stays one
    temporary = target.with_name(f".{uuid.uuid4().hex}.tmp")
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_bytes(data)  # a pipe or /dev/stdout must not be replaced by a file
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}; choose another place"
        ) from error
