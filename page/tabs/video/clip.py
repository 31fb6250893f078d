"""A clip, frame by frame: people found, followed to the end, drawn, and written as files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from page.images import reduced
from pose import PoseResult
from pose.drawing.angles import draw_angles
from pose.drawing.movie import FRAMES_AHEAD, draw_movie
from pose.drawing.settings import DrawSettings
from pose.drawing.skeletons import draw_people
from pose.engines.prefetch import ahead, in_thread
from pose.export import (
    CSV_COLUMNS,
    FRAME_COLUMNS,
    FramePosition,
    csv_rows,
    csv_text,
    json_text,
    openpose_json,
)
from pose.files import write_bytes, write_text
from pose.images.video import CutOff, Frame, read_frames
from pose.motion.angle_rows import ANGLE_COLUMNS, angle_rows
from pose.motion.follow import FollowedFrame, follow
from pose.motion.tracking import Tracker
from pose.motion.trc import trc_text
from pose.person import Person

FRAME_SIDE = 1280
"""Longer side in pixels of the frames: larger clips are made smaller."""

NUMBERED = DrawSettings(ids=True)


@dataclass(frozen=True)
class Clip:
    """The people of a clip.

    Attributes:
        size: (height, width) of the frames in pixels.
        frames: from the first on.
        end: seconds at which the last frame ends.
        notes: sentences for the visitor.
    """

    size: tuple[int, int] = (0, 0)
    frames: tuple[FollowedFrame, ...] = ()
    end: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def ids(self) -> list[int]:
        """Everybody's, those seen longest first."""
        counts: dict[int, int] = {}
        for frame in self.frames:
            for number in frame.ids:
                counts[number] = counts.get(number, 0) + 1
        return sorted(counts, key=lambda number: (-counts[number], number))

    def keypoints(self, number: int) -> np.ndarray:
        """A person's: float32 (frames, 18, 3), NaN where nothing is known."""
        places = np.full((len(self.frames), 18, 3), np.nan, np.float32)
        for i, frame in enumerate(self.frames):
            if number in frame.ids:
                places[i] = frame.people[frame.ids.index(number)].keypoints
        return places


@dataclass
class Follower:
    """Finds people in the frames of a clip and follows them.

    Attributes:
        path: the clip.
        longest: seconds of it that are worked on.
        cut_note: what to say where it is longer.
    """

    path: Path
    longest: float
    cut_note: str
    size: tuple[int, int] = (0, 0)
    end: float = 0.0
    times: list[float] = field(default_factory=list)
    people: list[tuple[Person, ...]] = field(default_factory=list)
    ids: list[list[int]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def run(
        self, estimate: Callable[[np.ndarray], PoseResult]
    ) -> Generator[np.ndarray, None, None]:
        """Each frame with its skeletons, as soon as its people are found.

        The frames to come are read, and the next one's people searched, while one is shown.
        """
        tracker = Tracker()
        context = copy_context()  # a shared GPU is lent to the visitor in whose name it is asked

        def people_of(frame: Frame) -> tuple[Frame, tuple[Person, ...]]:
            return frame, context.run(estimate, frame.image).people

        frames = in_thread(self._frames(), FRAMES_AHEAD)
        for frame, people in ahead(people_of, frames, threads=1, depth=1):
            self.size = (frame.image.shape[0], frame.image.shape[1])
            self.end = frame.time + frame.duration
            self.times.append(frame.time)
            self.people.append(people)
            self.ids.append(tracker.update(people, frame.time))
            yield draw_people(frame.image, people, NUMBERED, ids=self.ids[-1])

    def _frames(self) -> Iterator[Frame]:
        try:
            for frame in read_frames(self.path):
                if frame.time >= self.longest:
                    self.notes.append(self.cut_note)
                    return
                yield replace(frame, image=reduced(frame.image, FRAME_SIDE))
        except CutOff as error:
            self.notes.append(str(error))

    def clip(self, smooth: bool) -> Clip:
        """What was found so far."""
        frames = follow(self.times, self.people, self.ids, smooth)
        return Clip(self.size, tuple(frames), self.end, tuple(self.notes))


def write_movie(clip: Clip, source: Path, target: Path, angles: bool) -> None:
    """The clip with skeletons and ids, and its sound."""

    def draw(number: int, image: np.ndarray) -> np.ndarray:
        found = clip.frames[number]
        picture = draw_people(reduced(image, FRAME_SIDE), found.people, NUMBERED, ids=found.ids)
        return draw_angles(picture, found.people) if angles else picture

    draw_movie(source, target, len(clip.frames), draw)


def write_tables(clip: Clip, folder: Path, name: str) -> list[Path]:
    """JSON of all frames, keypoints and angles as CSV, a ZIP with TRC and OpenPose's files."""
    places = [
        (FramePosition(number, frame.time, frame.ids, frame.filled), frame.people)
        for number, frame in enumerate(clip.frames)
    ]
    answers = [openpose_json(people, place, clip.size) for place, people in places]
    summary: dict[str, Any] = {
        "width": clip.size[1],
        "height": clip.size[0],
        "fps": round(len(places) / clip.end, 3),
        "frames": [{"frame": i, **answer} for i, answer in enumerate(answers)],
    }
    rows = (row for place, people in places for row in csv_rows(people, name, place))
    degrees = (row for place, people in places for row in angle_rows(people, name, place))
    files = {
        f"{name}_poses.json": json_text(summary),
        f"{name}_keypoints.csv": csv_text(rows, (*CSV_COLUMNS, *FRAME_COLUMNS)),
        f"{name}_angles.csv": csv_text(degrees, ANGLE_COLUMNS),
    }
    for file, text in files.items():
        write_text(folder / file, text)
    packed = {
        f"{name}_json/{name}_{i:012d}_keypoints.json": json_text(answer)
        for i, answer in enumerate(answers)
    }
    times = [frame.time for frame in clip.frames]
    for number in clip.ids:
        file = f"{name}_person{number}.trc"
        packed[file] = trc_text(file, times, clip.keypoints(number), clip.size[0])
    archive = folder / f"{name}_openpose_trc.zip"
    write_bytes(archive, zipped(packed.items()))
    return [*(folder / file for file in files), archive]


def zipped(files: Iterable[tuple[str, str]]) -> bytes:
    memory = BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files:
            archive.writestr(name, text)
    return memory.getvalue()
