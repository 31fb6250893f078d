"""The tables of videos: a clip's rate against the network's, and memory against its length."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import cv2

from benchmark.timing import Row, alternated, times
from pose.cli.detect_files import Input, Options, detect_video, draw_video, followed
from pose.engines.memory import peak_memory_bytes
from pose.estimator import PoseEstimator
from pose.images.video import read_frames
from pose.images.video_writer import VideoWriter

EXAMPLE = Path(__file__).parents[1] / "assets/clips/park.mp4"
FRAMES = 60
HD = (1280, 720)
BATCH = 16

LONGER = 4
"""How often the clip is repeated where memory is measured."""


def measure_video(estimator: PoseEstimator, folder: Path, rounds: int) -> list[Row]:
    """Milliseconds per frame of a 720p clip, preset fast, against the network alone.

    Also the peak memory of this process after the clip, and after one that is longer.
    """
    clips = [write_clip(folder / f"clip{repeats}.mp4", repeats) for repeats in (1, LONGER)]
    options = Options(BATCH, (0,), True, True, folder, black=False, draw_angles=False)
    one = estimator.preprocess(next(read_frames(clips[0])).image)

    def clip_to_clip(clip: Path) -> None:
        video = Input(1, clip, True, clip.stem)
        found = list(detect_video(estimator, [video], options))
        draw_video(video, followed(found, smooth=True), options, folder / "drawn.mp4")

    cases: dict[str, Callable[[int], object]] = {
        "network alone": lambda number: [estimator.forward([one]) for _ in range(FRAMES)],
        "clip to people, followed and drawn": lambda number: clip_to_clip(clips[0]),
    }
    seconds = alternated(cases, rounds, warm=0)
    peaks = [peak_megabytes()]
    clip_to_clip(clips[1])
    peaks.append(peak_megabytes())
    table = f"A clip of {HD[0]}x{HD[1]}, {estimator.weights.network.name}, preset fast"
    return [
        *times(table, {k: [s / FRAMES for s in v] for k, v in seconds.items()}),
        Row(table, f"peak memory after {FRAMES} frames", peaks[0], "MB", 1.0),
        Row(table, f"after {LONGER * FRAMES} frames", peaks[1], "MB", peaks[1] / peaks[0]),
    ]


def peak_megabytes() -> float:
    """This process's peak memory; NaN on Windows, which does not report it."""
    try:
        return peak_memory_bytes() / 1e6
    except OSError:
        return math.nan


def write_clip(path: Path, repeats: int) -> Path:
    """The example's first frames as 720p, one time after the other."""
    end = 0.0
    with VideoWriter(path) as writer:
        for _ in range(repeats):
            start = end
            for frame in islice(read_frames(EXAMPLE), FRAMES):
                writer.add(cv2.resize(frame.image, HD), start + frame.time, frame.duration)
                end = start + frame.time + frame.duration
    return path
