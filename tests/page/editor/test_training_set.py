"""Photos kept with their people: whole or not at all, by many at once, and replaced."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from drawn_people import person_at
from PIL import Image
from places import ROOT

from page.editor.loaded import load_annotations
from page.editor.training_set import ANNOTATIONS, SPLIT, TrainingSet
from page.workspace import remove_folder
from pose import UserError, load_image
from pose.coco_annotations import LabelledPerson
from train.data.read import find_source

PEOPLE = (LabelledPerson.of(person_at(10, 10, 50)),)

WRITER = """
import sys
import numpy as np
from pathlib import Path
sys.path[:0] = [{root!r}, {helpers!r}]
from drawn_people import person_at
from page.editor.training_set import TrainingSet
from pose.coco_annotations import LabelledPerson
kept = TrainingSet(Path({folder!r}))
people = (LabelledPerson.of(person_at(10, 10, 50)),)
for number in range({first}, {last}):
    photo = np.full((80, 100, 3), number % 250, np.uint8)
    photo[0, 0] = number // 250
    kept.add(photo, "photo.jpg", people)
    print(number, flush=True)
"""


def photo(shade: int) -> np.ndarray:
    return np.full((80, 100, 3), shade, np.uint8)


def start_writer(folder: Path, first: int, last: int) -> subprocess.Popen[str]:
    script = WRITER.format(
        root=str(ROOT), helpers=str(ROOT / "tests/helpers"), folder=str(folder), first=first,
        last=last,
    )  # fmt: skip
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)


def read(folder: Path):
    """What training reads, every photo with its pixels."""
    annotations = find_source(folder, SPLIT).read()
    assert annotations.notes == ()
    for image in annotations.images:
        assert load_image(image.path).shape[:2] == image.size
    return annotations.images


def test_training_reads_what_was_added(tmp_path):
    kept = TrainingSet(tmp_path / "mine")
    assert kept.check() == 0
    assert kept.add(photo(1), "folder/IMG 1.png", PEOPLE) == 1
    assert kept.add(photo(2), "IMG 1.png", PEOPLE * 2) == 2  # another photo of the same name
    assert kept.add(photo(3), "empty.jpg", ()) == 3
    images = read(kept.folder)
    assert sorted(len(image.people) for image in images) == [0, 1, 2]
    assert all(image.file_name.endswith(".jpg") for image in images)


def test_the_same_photo_again_replaces_its_people(tmp_path):
    kept = TrainingSet(tmp_path)
    kept.add(photo(1), "a.jpg", PEOPLE)
    kept.add(photo(2), "b.jpg", PEOPLE)
    assert kept.add(photo(1), "another name.jpg", PEOPLE * 2) == 2
    stored = next(i for i in read(tmp_path) if i.file_name.startswith("a-"))
    assert len(stored.people) == 2
    # The stored file, loaded again, has other pixels than the photo had and is still the same.
    before = stored.path.read_bytes()
    assert kept.add(load_image(stored.path), stored.file_name, ()) == 2
    assert stored.path.read_bytes() == before
    assert sum(len(image.people) for image in read(tmp_path)) == 1


def test_two_programs_and_many_tabs_lose_nothing(tmp_path):
    writers = [start_writer(tmp_path, first, first + 15) for first in (0, 500)]
    kept = TrainingSet(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda shade: kept.add(photo(shade), "tab.jpg", PEOPLE), range(100, 120)))
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    images = read(tmp_path)
    assert len(images) == 50
    assert sum(len(image.people) for image in images) == 50


def test_killed_while_it_adds_the_folder_is_readable(tmp_path):
    added = 0
    for attempt in range(4):
        writer = start_writer(tmp_path, 1000 * attempt, 1000 * attempt + 900)
        for _ in range(5 + 3 * attempt):  # it reports what it has added
            assert writer.stdout is not None and writer.stdout.readline()
            added += 1
        time.sleep(0.002 * attempt)
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
        assert len(read(tmp_path)) >= added
        added = len(read(tmp_path))
    assert TrainingSet(tmp_path).add(photo(249), "after.jpg", PEOPLE) == added + 1


def test_a_photo_without_its_entry_is_not_there_yet(tmp_path, monkeypatch):
    kept = TrainingSet(tmp_path)
    kept.add(photo(1), "a.jpg", PEOPLE)

    def full_disk(*_):
        raise UserError("cannot write: no space left")

    with monkeypatch.context() as patch:
        patch.setattr("page.editor.training_set.write_text", full_disk)
        with pytest.raises(UserError):
            kept.add(photo(2), "b.jpg", PEOPLE)
    assert len(read(tmp_path)) == 1
    assert kept.add(photo(2), "b.jpg", PEOPLE) == 2


@pytest.mark.parametrize(
    "content", [b"", b"not json", b"[]", b'{"images": [{"file_name": "a"}]}', b"\xff\xfe\x00"]
)
def test_what_is_no_annotation_file_is_left_alone(tmp_path, content):
    file = tmp_path / ANNOTATIONS
    file.parent.mkdir()
    file.write_bytes(content)
    for action in (
        TrainingSet(tmp_path).check,
        lambda: TrainingSet(tmp_path).add(photo(1), "a", ()),
    ):
        with pytest.raises(UserError, match="is not a COCO annotation file") as error:
            action()
        assert "\n" not in str(error.value)
    assert file.read_bytes() == content
    assert not (tmp_path / SPLIT).exists()


def test_a_folder_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot be written"):
        TrainingSet(tmp_path / "file" / "mine").check()


def test_a_zip_has_everything_and_loads_again(tmp_path):
    kept = TrainingSet(tmp_path / "mine")
    kept.add(photo(1), "a.jpg", PEOPLE)
    kept.add(photo(2), "b.jpg", PEOPLE)
    archive = tmp_path / "set.zip"
    archive.write_bytes(kept.packed())
    loaded = load_annotations(archive)
    assert sorted(loaded.photos) == sorted(loaded.truth.names)
    for name, path in loaded.photos.items():
        (person,) = loaded.truth.of(name)
        np.testing.assert_allclose(
            person.person.keypoints[2:, :2], PEOPLE[0].person.keypoints[2:, :2], atol=0.01
        )
        assert load_image(path).shape == (80, 100, 3)
    remove_folder(loaded.folder)


def zip_of(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def test_uploads_that_are_something_else_are_one_line(tmp_path):
    image = BytesIO()
    Image.fromarray(photo(1)).save(image, "jpeg")
    (tmp_path / "text.zip").write_text("no archive")
    (tmp_path / "photo.json").write_bytes(image.getvalue())
    zip_of(tmp_path / "photos.zip", **{"a.jpg": image.getvalue()})
    zip_of(tmp_path / "other.zip", **{"a.json": b"{}"})
    whole = zip_of(tmp_path / "damaged.zip", **{"a.json": json.dumps({"x": "y" * 999}).encode()})
    data = bytearray(whole.read_bytes())
    data[40] ^= 0xFF
    whole.write_bytes(data)
    for name in ("text.zip", "photo.json", "photos.zip", "other.zip", "damaged.zip"):
        with pytest.raises(UserError) as error:
            load_annotations(tmp_path / name)
        assert "\n" not in str(error.value)


def test_names_in_an_archive_cannot_leave_the_folder(tmp_path):
    kept = TrainingSet(tmp_path / "mine")
    kept.add(photo(1), "a.jpg", PEOPLE)
    content = kept.annotations.read_bytes()
    name = kept.read()["images"][0]["file_name"]
    evil = zip_of(
        tmp_path / "evil.zip",
        **{f"../../{ANNOTATIONS}": content, f"../../../{name}": b"x", "/etc/other.jpg": b"x"},
    )
    loaded = load_annotations(evil)
    assert list(loaded.photos) == [name]
    assert all(path.parent == Path(loaded.folder) for path in loaded.photos.values())
    remove_folder(loaded.folder)
