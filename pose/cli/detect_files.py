"""People in photos and in videos, one file after the other, with their overlays."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pose.cli.detect_output import Detected, say, write_png
from pose.cli.rotation import best_turn, turned
from pose.drawing.angles import draw_angles
from pose.drawing.movie import draw_movie
from pose.drawing.settings import DrawSettings
from pose.drawing.skeletons import draw_people
from pose.engines.prefetch import in_batches
from pose.errors import UserError
from pose.export import FramePosition
from pose.images.load import load_image
from pose.images.video import read_frames
from pose.motion.follow import follow
from pose.motion.tracking import Tracker
from pose.results import PoseResult

if TYPE_CHECKING:
    from pose.estimator import PoseEstimator


@dataclass(frozen=True)
class Input:
    """A file to detect people in.

    Attributes:
        number: its position among all inputs.
        path: the file.
        video: whether it is a video.
        stem: what the files made from it are called, without ending.
    """

    number: int
    path: Path
    video: bool
    stem: str


@dataclass(frozen=True)
class Options:
    """How people are detected and drawn.

    Attributes:
        batch_size: photos that run together on a GPU.
        quarter_turns: clockwise turns to try; the best counts.
        track: whether the people of a video get track ids.
        smooth: whether a video's people are steadied; see `pose.motion.trajectory`.
        overlay: the folder of the overlays, None without.
        black: whether overlays are drawn on black.
        draw_angles: whether overlays show the angles of the joints.
    """

    batch_size: int
    quarter_turns: tuple[int, ...]
    track: bool
    smooth: bool
    overlay: Path | None
    black: bool
    draw_angles: bool


def detect_photos(
    estimator: PoseEstimator, photos: list[Input], options: Options
) -> Generator[Detected, None, None]:
    """The people of each photo; draws the overlays."""

    def read(path: Path, quarter_turns: int) -> np.ndarray:
        return turned(load_image(path), quarter_turns)

    turns = options.quarter_turns
    images = (partial(read, one.path, turn) for one in photos for turn in turns)
    results = estimator.stream(images, batch_size=options.batch_size, keep_errors=True)
    for one, tried in zip(photos, in_batches(results, len(turns)), strict=True):
        result = best_turn(tried, turns)
        if isinstance(result, UserError):
            yield Detected(one.path, one.number, problem=str(result))
            continue
        if options.overlay:
            picture = result.draw(black=options.black)
            if options.draw_angles:
                picture = draw_angles(picture, result.people)
            write_png(options.overlay / f"{one.stem}.png", picture)
        say_notes(one.path.name, result)
        yield Detected(one.path, one.number, result.people, result.image_size)


def detect_video(
    estimator: PoseEstimator, files: list[Input], options: Options
) -> Generator[Detected, None, None]:
    """The people of each frame of the one file, as found.

    A file that cannot be read, or only in part, is the last one's problem.
    """
    (video,) = files
    times: deque[float] = deque()
    problems: list[str] = []

    def images() -> Iterator[np.ndarray]:
        try:
            for frame in read_frames(video.path):
                times.append(frame.time)
                for turn in options.quarter_turns:
                    yield turned(frame.image, turn)
        except UserError as error:
            problems.append(str(error))

    results = estimator.stream(images(), batch_size=options.batch_size, keep_errors=True)
    for number, tried in enumerate(in_batches(results, len(options.quarter_turns))):
        time, result = times.popleft(), best_turn(tried, options.quarter_turns)
        if isinstance(result, UserError):
            problems.append(f"{video.path.name}, frame {number}: {result}")
            continue
        position = FramePosition(number, time)
        yield Detected(video.path, video.number, result.people, result.image_size, position)
    for problem in problems:
        yield Detected(video.path, video.number, problem=problem)


def followed(detected: Sequence[Detected], smooth: bool) -> list[Detected]:
    """The frames of a clip with track ids, steadied unless `smooth` is off."""
    frames = [(one, one.frame) for one in detected if one.frame]
    tracker = Tracker()
    times = [position.time for _, position in frames]
    ids = [tracker.update(one.people, position.time) for one, position in frames]
    steady = follow(times, [one.people for one, _ in frames], ids, smooth)
    known = [
        replace(
            one,
            people=frame.people,
            frame=replace(position, track_ids=frame.ids, filled=frame.filled),
        )
        for (one, position), frame in zip(frames, steady, strict=True)
    ]
    return [*known, *(one for one in detected if not one.frame)]


def draw_video(video: Input, detected: Sequence[Detected], options: Options, target: Path) -> None:
    """The clip with its skeletons, as far as people were searched."""
    found = {one.frame.frame: one for one in detected if one.frame}
    drawing = DrawSettings(ids=options.track, black=options.black)

    def draw(number: int, image: np.ndarray) -> np.ndarray | None:
        one = found.get(number)
        if one is None:
            return None
        ids = one.frame.track_ids if one.frame else None
        picture = draw_people(image, one.people, drawing, ids=ids)
        return draw_angles(picture, one.people) if options.draw_angles else picture

    draw_movie(video.path, target, max(found, default=-1) + 1, draw)


def say_notes(name: str, result: PoseResult) -> None:
    for note in result.decode_notes:
        say(f"{name}: {note}")
