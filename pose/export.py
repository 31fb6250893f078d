"""People as COCO results, OpenPose JSON, CSV and plain dictionaries."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pose.person import Person, found_keypoints
from pose.skeleton import COCO_TO_KEYPOINT, KEYPOINTS

COORDINATE_DECIMALS = 2
SCORE_DECIMALS = 6
TIME_DECIMALS = 6

CSV_COLUMNS = ("image", "person", "person_score", "keypoint", "x", "y", "score", "visible")
FRAME_COLUMNS = ("frame", "time", "track_id", "filled")
"""Columns that the frames of a video have as well."""

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


@dataclass(frozen=True)
class FramePosition:
    """Where in a video people were found.

    Attributes:
        frame: number of the frame, from 0.
        time: seconds from the start of the clip.
        track_ids: a number for each person that stays the same through the clip; None without.
        filled: for each person bool (18,), the keypoints that were not found in this frame but
            interpolated; None without.
    """

    frame: int
    time: float
    track_ids: Sequence[int] | None = None
    filled: Sequence[np.ndarray] | None = None

    def columns(self, person: int) -> dict[str, int | float]:
        """Frame, time and, where there is one, track id of a person by index."""
        track = {} if self.track_ids is None else {"track_id": int(self.track_ids[person])}
        return {"frame": self.frame, "time": timestamp(self.time), **track}


def image_id_of(path: str | Path, running_number: int) -> int:
    """COCO image id of a file: the last run of digits in its name (without the ending).

    `000000000139.jpg` → 139. Without digits: `running_number`.
    """
    digits = re.findall(r"[0-9]+", Path(path).stem)
    return int(digits[-1]) if digits else running_number


def coco_results(
    people: Iterable[Person], image_id: int, file_name: str, frame: FramePosition | None = None
) -> list[dict]:
    """The official results list of the COCO keypoint task, with `file_name` added.

    People of a video also have `frame`, `time`, `track_id` and, where keypoints were interpolated,
    `filled`: their names.

    Each entry has 51 numbers x, y, v in COCO's order. A found keypoint has v = 1, as COCO
    recommends for results (https://cocodataset.org/#format-results); a missing one is 0, 0, 0. The
    neck is not among COCO's keypoints, and a person with nothing but a neck is left out.
    """
    results = []
    for i, person in enumerate(people):
        points = person.keypoints[list(COCO_TO_KEYPOINT)]
        found = found_keypoints(points)
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
                **(frame.columns(i) if frame else {}),
                **({"filled": names} if (names := filled_names(frame, i)) else {}),
            }
        )
    return results


def filled_names(frame: FramePosition | None, person: int) -> list[str]:
    """The interpolated keypoints of a person by index."""
    if frame is None or frame.filled is None:
        return []
    return [KEYPOINTS[k].name for k in np.flatnonzero(frame.filled[person])]


def openpose_json(
    people: Iterable[Person],
    frame: FramePosition | None = None,
    image_size: tuple[int, int] | None = None,
) -> dict:
    """The people of a photo or frame in OpenPose's JSON layout, version 1.3.

    `pose_keypoints_2d` has 54 numbers x, y, score in the order of `pose.skeleton.KEYPOINTS`;
    a missing keypoint is 0, 0, 0. `person_id` is the track id in a video, else [-1] as OpenPose
    writes it. Pose editors expect `canvas_width` and `canvas_height`, from `image_size` as
    (height, width).
    """
    ids = frame.track_ids if frame else None
    entries = []
    for i, person in enumerate(people):
        numbers: list[float] = []
        for (x, y, s), there in zip(person.keypoints, person.found, strict=True):
            numbers += [coordinate(x), coordinate(y), score(s)] if there else [0, 0, 0]
        entries.append(
            {
                "person_id": [int(ids[i]) if ids is not None else -1],
                "pose_keypoints_2d": numbers,
                **{key: [] for key in OPENPOSE_EMPTY},
            }
        )
    answer: dict[str, Any] = {"version": OPENPOSE_VERSION, "people": entries}
    if image_size:
        answer |= {"canvas_width": image_size[1], "canvas_height": image_size[0]}
    if frame:
        answer["time"] = timestamp(frame.time)
    return answer


def person_dict(person: Person, number: int) -> dict[str, Any]:
    """A person as plain numbers and names for JSON; a missing keypoint's x and y are None."""
    return {
        "id": number,
        "score": score(person.score),
        "box": [coordinate(v) for v in person.box],
        "keypoints": [
            {
                "name": keypoint.name,
                "x": coordinate(x) if there else None,
                "y": coordinate(y) if there else None,
                "score": score(s) if there else 0.0,
            }
            for keypoint, (x, y, s), there in zip(
                KEYPOINTS, person.keypoints, person.found, strict=True
            )
        ],
    }


def csv_rows(
    people: Iterable[Person], image: str, frame: FramePosition | None = None
) -> list[dict[str, object]]:
    """18 rows a person, keyed by `CSV_COLUMNS` and, in a video, `FRAME_COLUMNS`.

    x and y are empty where a keypoint is missing. People count from 1, best score first.
    """
    rows: list[dict[str, object]] = []
    for number, person in enumerate(people, start=1):
        found = person.found
        columns = frame.columns(number - 1) if frame else {}
        filled = filled_names(frame, number - 1)
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
                    **(columns | {"filled": int(keypoint.name in filled)} if frame else {}),
                }
            )
    return rows


def csv_text(rows: Iterable[Mapping[str, object]], columns: Sequence[str] = CSV_COLUMNS) -> str:
    """Rows of `csv_rows`, of one photo or many, as CSV with a heading line."""
    # A field is quoted where it holds a part of the line's end: a lone "\r" only with this one.
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    lines = []
    for row in ({name: name for name in columns}, *rows):
        writer.writerow(row)
        lines.append(text.getvalue().removesuffix("\r\n"))
        text.seek(0)
        text.truncate()
    return "".join(f"{line}\n" for line in lines)


def json_text(data: object) -> str:
    """JSON that is the same bytes for the same data; a list or iterator has one entry a line."""
    if isinstance(data, list | Iterator):
        lines = ",\n".join(json_line(entry) for entry in data)
        return f"[\n{lines}\n]\n" if lines else "[]\n"
    return json_line(data) + "\n"


def json_line(data: object) -> str:
    # Plain ASCII, because pycocotools reads files in the machine's own encoding.
    return json.dumps(data, allow_nan=False)


def coordinate(value: float) -> float:
    return round(float(value), COORDINATE_DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0


def timestamp(seconds: float) -> float:
    return round(float(seconds), TIME_DECIMALS) + 0.0


def score(value: float) -> float:
    return round(float(value), SCORE_DECIMALS) + 0.0
