"""python -m pose detect in this process."""

import json

import numpy as np
from places import COLLAGE

from pose import load_image
from pose.__main__ import main
from pose.images.video_writer import VideoWriter

FOUR = COLLAGE


def detect(*args):
    return main(["detect", "--device", "cpu", "--preset", "fast", *map(str, args)])


def rows_of(path):
    return json.loads(path.read_text())


def walking_clip(path, times, sound=None):
    """Four people who move to the right, three pixels a frame."""
    photo = load_image(FOUR)[1:, 1:]
    ends = [*times[1:], times[-1] + 0.04]
    with VideoWriter(path, sound) as clip:
        for step, (time, end) in enumerate(zip(times, ends, strict=True)):
            clip.add(np.roll(photo, 3 * step, axis=1), time, end - time)
    return path
