"""Every kind of image file and array, whole or broken: the right pixels or one clear line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
from image_corpus import (
    Case,
    arrays,
    corpus,
    encoded,
    large_example,
    oriented,
    other_cases,
    turned_back,
    whole_cases,
)
from PIL import Image
from places import EXAMPLES, ROOT

from pose import UserError, load_image
from pose.images.load import photo_suffixes

LONGEST = 10.0
"""Seconds after which reading one file counts as hanging."""

MOST_MEMORY = 1500
"""MB that reading may add to a process."""


def judged(case: Case, folder: Path) -> str | None:
    """What is wrong with how a case was answered, None if nothing."""
    path = folder / case.name
    path.write_bytes(case.data)
    start = monotonic()
    try:
        found = load_image(path)
    except UserError as error:
        return wrong_line(case, str(error))
    except BaseException as error:
        return f"{type(error).__name__}: {error}"
    finally:
        path.unlink()
    if monotonic() - start > LONGEST:
        return "too slow"
    if case.must_fail:
        return f"taken for a photo of {found.shape}"
    if found.dtype != np.uint8 or found.ndim != 3 or found.shape[2] != 3 or not found.size:
        return f"not RGB: {found.dtype} {found.shape}"
    if case.pixels is None:
        return None
    if found.shape != case.pixels.shape:
        return f"{found.shape}, not {case.pixels.shape}"
    difference = np.abs(found.astype(int) - case.pixels).mean()
    return f"differs by {difference:.2f}" if difference > case.tolerance else None


def wrong_line(case: Case, line: str) -> str | None:
    if not (case.must_fail or case.may_fail):
        return f"refused: {line}"
    if not line.isprintable() or len(line) > 300:
        return f"not one line: {line!r}"
    if not line.startswith(case.name):
        return f"does not name the file: {line}"
    return None if case.words in line else f"does not say {case.words!r}: {line}"


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return list(corpus())


def test_every_file_is_right_or_one_clear_line(cases, tmp_path):
    assert len(cases) >= 300 and len({case.name for case in cases}) == len(cases)
    wrong = {case.name: judged(case, tmp_path) for case in cases}
    assert {name: why for name, why in wrong.items() if why} == {}


@pytest.mark.parametrize("name", arrays())
def test_arrays(name):
    array, expected = arrays()[name]
    before = np.array(array) if isinstance(array, np.ndarray) and array.size < 1e8 else None
    if isinstance(expected, str):
        with pytest.raises(UserError) as caught:
            load_image(array)
        assert expected in str(caught.value) and str(caught.value).isprintable()
    else:
        found = load_image(array)
        assert found.dtype == np.uint8 and found.flags.c_contiguous and found.flags.writeable
        np.testing.assert_array_equal(found, expected)
        assert not np.shares_memory(found, array)
    if before is not None:
        np.testing.assert_array_equal(before, array)


def test_a_pil_image_is_not_changed():
    image = Image.fromarray(turned_back(np.asarray(large_example()), 6))
    image.getexif()[0x0112] = 6
    before = image.tobytes()
    np.testing.assert_array_equal(load_image(image), np.asarray(large_example()))
    assert image.tobytes() == before and image.getexif()[0x0112] == 6
    image.close()
    for mode in ("LAB", "HSV", "YCbCr", "CMYK", "PA", "RGBa", "La", "I;16B", "F", "1"):
        small = Image.new(mode, (3, 2))
        try:
            assert load_image(small).shape == (2, 3, 3)
        except UserError as error:
            assert mode in ("LAB", "La") and str(error).startswith("the image cannot be read")


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes and permissions of Unix")
def test_paths_that_are_no_files(tmp_path):
    """A pipe without a writer, a device without an end, names that no file can have."""
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "odd\n\x1b[31m.jpg").write_text("text")
    paths = [tmp_path / "pipe.jpg", "/dev/zero", "/dev/null", tmp_path / "loop.jpg",
             tmp_path / "gone.jpg", tmp_path / "odd\n\x1b[31m.jpg", "a" * 5000, "nul\0.jpg", "",
             tmp_path / "pipe.jpg" / "deeper.jpg"]  # fmt: skip
    lines = []

    def read_all() -> None:
        for path in paths:
            try:
                load_image(path)
            except UserError as error:
                lines.append(str(error))

    reader = threading.Thread(target=read_all, daemon=True)
    reader.start()
    reader.join(30)
    assert not reader.is_alive(), "waits for something that never comes"
    assert len(lines) == len(paths)
    assert all(line.isprintable() and len(line) < 500 for line in lines)


READ_ALL = """
import resource, sys, time
from pathlib import Path
import numpy, PIL.Image, pose
from pose import UserError, load_image
load_image(PIL.Image.new("RGB", (9, 9)))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before, slowest = peak(), 0
for path in sorted(Path(sys.argv[1]).iterdir()):
    start = time.monotonic()
    try:
        load_image(path)
    except UserError:
        pass
    slowest = max(slowest, time.monotonic() - start)
print(peak() - before, slowest)
"""


def growth(folder: Path) -> tuple[int, float]:
    """MB that reading all files of a folder adds to a process, and the slowest file's seconds."""
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    memory, seconds = done.stdout.split()
    return int(memory), float(seconds)


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kB on Linux")
def test_memory_and_time_over_the_corpus(cases, tmp_path):
    for case in cases:
        (tmp_path / case.name).write_bytes(case.data)
    memory, slowest = growth(tmp_path)
    assert memory < 500 and slowest < LONGEST


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kB on Linux")
def test_the_largest_photos_that_are_opened_fit(tmp_path, monkeypatch):
    """A few kB each that unpack to just under the limits, one of them turned."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    large = Image.new("1", (11_999, 10_000))
    large.save(tmp_path / "black.png", exif=oriented(6))
    Image.new("L", (6_000, 6_600)).save(tmp_path / "black.webp", quality=1, method=0)
    memory, slowest = growth(tmp_path)
    assert memory < MOST_MEMORY and slowest < 60


def representative() -> list[Case]:
    """A share of the corpus for the slower ways in: each kind of file once."""
    wanted = ("turned-6.png", "deep.png", "float.tif", "1xn.png", "wide.png", "1x1.png",
              "palette-alpha.png", "whole-cmyk.jpg")  # fmt: skip
    found = [case for case in whole_cases() if case.name in wanted]
    assert len(found) == len(wanted)
    return found


def test_the_estimator_takes_them(estimator, tmp_path):
    """Real files of every kind through the real network."""
    for case in representative():
        path = tmp_path / case.name
        path.write_bytes(case.data)
        result = estimator(path, preset="fast")
        assert result.image_size == case.pixels.shape[:2]
        for person in result.people:
            assert np.isfinite(person.keypoints[person.found]).all()


@pytest.mark.parametrize("number", [3, 6])
def test_a_turned_photo_has_the_same_people(number, estimator, tmp_path):
    upright = large_example()
    stored = Image.fromarray(turned_back(np.asarray(upright), number))
    (tmp_path / "turned.png").write_bytes(encoded(stored, "PNG", exif=oriented(number)))
    expected = estimator(upright, preset="fast").people
    found = estimator(tmp_path / "turned.png", preset="fast").people
    assert len(found) == len(expected) == 4
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.keypoints, b.keypoints)


def test_a_folder_of_broken_and_good_photos(tmp_path):
    """Each broken one in a line of its own, the good ones answered, status 2."""
    photos = tmp_path / "photos"
    photos.mkdir()
    broken = [c for c in other_cases() if Path(c.name).suffix in photo_suffixes()][::2]
    assert len(broken) > 20
    for case in broken:
        (photos / case.name).write_bytes(case.data)
    large_example().save(photos / "good-1.jpg")
    large_example(EXAMPLES / "grace-hopper.jpg").save(photos / "zgood-2.png")
    output = tmp_path / "out.json"
    command = [sys.executable, "-m", "pose", "detect", str(photos), "--preset", "fast", "--device",
               "cpu", "--engine", "torch", "--output", str(output)]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    told = done.stderr.replace("\r", "\n").splitlines()
    for case in broken:
        assert sum(case.name in line for line in told) == 1, case.name
    assert f"in 2 of {len(broken) + 2} photos" in done.stderr
    names = [row["file_name"] for row in json.loads(output.read_text())]
    assert set(names) == {"good-1.jpg", "zgood-2.png"} and names.count("good-1.jpg") == 4
