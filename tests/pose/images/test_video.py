"""Clips of many kinds, made here: timestamps, shape, sound, and what is said of broken ones."""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from places import SHARED

from pose import UserError
from pose.images.video import CutOff, count_frames, read_frames
from pose.images.video_writer import VideoWriter

UNEVEN = [0, 0.04, 0.08, 0.48, 0.52, 0.56, 1.56, 1.6, 1.64, 2.14]


def picture(width: int = 160, height: int = 120) -> np.ndarray:
    """Red at the upper left, blue at the lower right."""
    image = np.full((height, width, 3), 90, np.uint8)
    image[: height // 3, : width // 3] = (230, 20, 20)
    image[-height // 3 :, -width // 3 :] = (20, 20, 230)
    return image


def encoded(
    path: Path, times: list[float], codec: str = "libx264", ratio: Fraction | None = None,
    pixels: str = "yuv420p", size: tuple[int, int] = (160, 120), sound: bool = False,
) -> Path:  # fmt: skip
    """A clip of the picture with frames at given times, by PyAV."""
    with av.open(str(path), "w") as container:
        rate = round(1 / (times[1] - times[0])) if times[1] - times[0] <= 1 else Fraction(1, 2)
        stream = container.add_stream(codec, rate, width=size[0], height=size[1], pix_fmt=pixels)
        if ratio:
            stream.codec_context.sample_aspect_ratio = ratio
        fine = codec == "libx264"
        stream.codec_context.time_base = Fraction(1, 48000) if fine else 1 / Fraction(rate)
        tone = container.add_stream("aac", 44100, layout="mono") if sound else None
        for time in times:
            frame = av.VideoFrame.from_ndarray(picture(*size), "rgb24")
            frame.time_base = stream.codec_context.time_base
            frame.pts = round(time / frame.time_base)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if tone:
            samples = np.sin(np.arange(int(44100 * times[-1])) / 20).astype(np.float32)[None]
            frame = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
            frame.rate, frame.pts, frame.time_base = 44100, 0, Fraction(1, 44100)
            container.mux(tone.encode(frame))
            container.mux(tone.encode())
    if codec == "libsvtav1" and hasattr(os, "sched_setscheduler"):
        # Under root it makes the calling thread real-time, and with it every process started later:
        # a busy browser then starves the machine.
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return path


def corners(image: np.ndarray) -> str:
    """The colours of the four corners, clockwise from the upper left: r, b or -."""
    places = ((3, 3), (3, -4), (-4, -4), (-4, 3))
    return "".join(
        "r" if r > b + 60 else "b" if b > r + 60 else "-"
        for r, _, b in (image[y, x].astype(int) for y, x in places)
    )


def copied(path: Path, target: Path) -> Path:
    with VideoWriter(target, sound=path) as writer:
        for frame in read_frames(path):
            writer.add(frame.image, frame.time, frame.duration)
    return target


def length(path: Path) -> float:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return float(stream.duration * stream.time_base)


@pytest.mark.parametrize(
    ("name", "times", "total"),
    [
        ("uneven.mkv", UNEVEN, 2.2),
        ("uneven.mp4", UNEVEN, 2.2),
        ("fast.mp4", [i / 480 for i in range(10)], 10 / 480),
        ("lapse.mp4", [0, 2, 4, 6], 8),
    ],
)
def test_timestamps_are_the_files_own(tmp_path, name, times, total):
    clip = encoded(tmp_path / name, times)
    frames = list(read_frames(clip))
    assert [frame.time for frame in frames] == pytest.approx(times, abs=1e-3)
    copy = copied(clip, tmp_path / "copy.mp4")
    assert [frame.time for frame in read_frames(copy)] == pytest.approx(times, abs=1e-3)
    assert length(copy) == pytest.approx(total, abs=0.03 if total > 1 else 0.003)


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "size"),
    [
        ("a.mkv", "libsvtav1", "yuv420p", (160, 120)),
        ("a.mp4", "libx265", "yuv420p", (160, 120)),
        ("a.avi", "mjpeg", "yuvj420p", (160, 120)),
        ("a.wmv", "wmv2", "yuv420p", (160, 120)),
        ("a.3gp", "h263", "yuv420p", (176, 144)),
        ("a.mts", "libx264", "yuv420p", (160, 120)),
    ],
)
def test_kinds_of_files(tmp_path, name, codec, pixels, size):
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    muxer = tmp_path / name.replace(".mts", ".ts").replace(".wmv", ".asf")
    times = [i / 25 for i in range(6)]
    frames = list(
        read_frames(encoded(muxer, times, codec, None, pixels, size).rename(tmp_path / name))
    )
    assert [frame.time - frames[0].time for frame in frames] == pytest.approx(times, abs=2e-3)
    assert all(corners(frame.image) == "r-b-" for frame in frames)


def test_gif(tmp_path):
    frames = [Image.fromarray(np.roll(picture(), 9 * i, 1)) for i in range(4)]
    frames[0].save(
        tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=[100, 400, 100, 200]
    )
    read = list(read_frames(tmp_path / "a.gif"))
    assert [frame.time for frame in read] == pytest.approx([0, 0.1, 0.5, 0.6])


def test_pixels_that_are_not_square(tmp_path):
    clip = encoded(tmp_path / "wide.mp4", [0, 0.04], ratio=Fraction(2))
    assert next(read_frames(clip)).image.shape == (120, 320, 3)
    assert next(read_frames(copied(clip, tmp_path / "copy.mp4"))).image.shape == (120, 320, 3)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [((0, 1, -1, 0), "-r-b"), ((-1, 0, 0, -1), "b-r-"), ((0, -1, 1, 0), "-b-r")],
)
def test_rotation_of_a_phone(tmp_path, matrix, expected):
    """The display matrix of the track's header, a quarter turn clockwise first."""
    clip = encoded(tmp_path / "phone.mp4", [0, 0.04])
    data = bytearray(clip.read_bytes())
    place = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (int(v * 65536) for v in matrix)
    for offset, value in ((0, a), (4, b), (12, c), (16, d)):
        data[place + offset : place + offset + 4] = value.to_bytes(4, "big", signed=True)
    clip.write_bytes(data)
    assert corners(next(read_frames(clip)).image) == expected


def test_the_sound_is_kept_as_far_as_the_frames_reach(tmp_path):
    clip = encoded(tmp_path / "talk.mp4", [i / 25 for i in range(50)], sound=True)
    copy = copied(clip, tmp_path / "copy.mp4")
    half = tmp_path / "half.mp4"
    with VideoWriter(half, sound=clip) as writer:
        for frame in list(read_frames(clip))[:25]:
            writer.add(frame.image, frame.time, frame.duration)
    for path, seconds in ((copy, 1.96), (half, 1.0)):
        with av.open(str(path)) as container:
            (track,) = container.streams.audio
            assert track.codec_context.name == "aac"
            assert float(track.duration * track.time_base) == pytest.approx(seconds, abs=0.06)
            sound = np.concatenate([f.to_ndarray()[0] for f in container.decode(track)])
            assert np.abs(sound[4000:20000]).max() > 0.5


def test_sound_alone_is_not_a_video(tmp_path):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        tone = container.add_stream("aac", 44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 9000), np.float32), "fltp", "mono")
        frame.rate, frame.pts = 44100, 0
        container.mux(tone.encode(frame))
        container.mux(tone.encode())
    with pytest.raises(UserError, match=r"song\.mp4 has sound but no picture"):
        list(read_frames(path))
    assert count_frames(path) == 0


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_only_a_broken_end_is_reported(tmp_path, name):
    """Whole clips are read to the end in silence; cut ones give what is there, and say so."""
    codec = ("mjpeg", "yuvj420p") if name == "a.avi" else ("libx264", "yuv420p")
    whole = encoded(tmp_path / name, [i / 25 for i in range(50)], codec[0], None, codec[1])
    if name == "a.mp4":  # with the index in front, which a cut must leave
        whole = copied(whole, tmp_path / "front.mp4")
    assert len(list(read_frames(whole))) == 50
    data = whole.read_bytes()
    start = data.index(b"mdat") if name == "a.mp4" else 0
    cut = tmp_path / f"cut-{name}"
    cut.write_bytes(data[: start + (len(data) - start) // 2])
    frames = []
    with pytest.raises(CutOff, match="cut off or damaged"):
        for frame in read_frames(cut):
            frames.append(frame)
    assert 3 < len(frames) < 45


def test_a_writer_without_frames_leaves_nothing(tmp_path):
    VideoWriter(tmp_path / "a.mp4").close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "size", "count"),
    [
        *((n, (240, 320), 10) for n in ("vfr.mkv", "vfr.mp4", "fps480.mp4", "with_audio.mp4")),
        *((n, (240, 320), 10) for n in ("av1.mp4", "hevc.mp4", "mjpeg.avi", "x.wmv", "x.mts")),
        ("anim.gif", (240, 320), 10),
        ("sar.mp4", (240, 320), 5),
        ("x.3gp", (288, 384), 10),
    ],
)
def test_shared_clips(name, size, count):
    path = SHARED / "cases" / "video" / name
    if not path.is_file():
        pytest.skip(f"needs {path}")
    frames = list(read_frames(path))
    assert len(frames) == count
    assert frames[0].image.shape[:2] == size
    if name.startswith("vfr"):
        assert [frame.time for frame in frames] == pytest.approx(UNEVEN, abs=1e-3)
