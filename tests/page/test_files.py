"""The files to download, of one photo and of many."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_maps import draw_maps, standing
from page_results import result_of, session_of

from page.photo import downloads
from page.photo.downloads import EVERYTHING, Wanted, write_file
from page.photo.pictures import FieldChoice
from page.photo.session import Session
from page.tabs.many import PhotoPeople, write_results
from page.workspace import remove_folder, workspace
from pose import UserError, load_image
from pose.drawing import DrawSettings, draw_people

SETTINGS = DrawSettings(ids=True)


@pytest.fixture(scope="module")
def session() -> Session:
    a = result_of(draw_maps([standing(20, 20)], (40, 40)))
    return session_of(a, result_of(draw_maps([standing(22, 20)], (40, 40))))


def written(session: Session, kind: str = EVERYTHING, second: bool = False) -> Path:
    workspace()
    field = FieldChoice("direction", "neck – nose", 6)
    return write_file(session, Wanted(kind, second, SETTINGS, field, 512))


def test_a_photos_files(session):
    archive = written(session)
    assert archive.name == "photo 7_pose.zip"
    with zipfile.ZipFile(archive) as packed:
        contents = {name: packed.read(name) for name in packed.namelist()}
    kinds = ("coco.json", "openpose.json", "keypoints.csv", "annotations.json", "skeletons.png")
    kinds += ("direction_neck-nose.png", "black_512x512.png", "black_512x512.json")
    assert set(contents) == {f"photo 7{mark}_{kind}" for mark in ("", "_b") for kind in kinds}
    (entry,) = json.loads(contents["photo 7_b_coco.json"])
    assert (entry["image_id"], entry["file_name"]) == (7, "photo 7.jpg")
    alone = written(session, "coco", second=True)
    assert alone.name == "photo 7_b_coco.json"
    assert alone.read_bytes() == contents[alone.name]
    black = json.loads(contents["photo 7_black_512x512.json"])
    assert (black["canvas_width"], black["canvas_height"]) == (512, 512)
    for path in (archive, alone):
        remove_folder(str(path.parent))


def test_the_skeletons_have_the_photos_own_size(session):
    path = written(session, "skeletons")
    assert session.shown.shape != session.photo.shape
    expected = draw_people(session.photo, session.a.result.people, SETTINGS)
    np.testing.assert_array_equal(load_image(path), expected)
    remove_folder(str(path.parent))


@pytest.mark.parametrize(
    "name", ["../../x.jpg", "/etc/passwd", "..", "a\x07b\n.jpg", "<img src=x>.png", "C:\\w.jpg"]
)
def test_names_stay_in_the_folder(session, name):
    path = written(replace(session, file_name=name, b=None))
    folder = path.parent
    assert folder.parent == workspace() / "gradio" and path.is_file()
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            assert member not in ("", ".", "..")
            assert all(c.isalnum() or c in "-_. " for c in member), member
    remove_folder(str(folder))
    assert not folder.exists()


def test_a_full_disk_leaves_nothing(session, monkeypatch):
    def full(path: Path, data: bytes) -> None:
        raise UserError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr(downloads, "write_bytes", full)
    before = set((workspace() / "gradio").glob("files-*"))
    with pytest.raises(UserError, match="No space left"):
        written(session, "csv")
    assert set((workspace() / "gradio").glob("files-*")) == before


def test_the_files_of_many_photos(session, tmp_path):
    people = session.a.result.people
    size = session.a.result.image_size
    photos = [PhotoPeople("a.jpg", people, size), PhotoPeople("b12.jpg", people * 2, size)]
    coco, openpose, table = (Path(path) for path in write_results(tmp_path, photos))
    entries = json.loads(coco.read_text())
    assert [(e["image_id"], e["file_name"]) for e in entries] == [
        (1, "a.jpg"),
        (12, "b12.jpg"),
        (12, "b12.jpg"),
    ]
    assert {name: len(v["people"]) for name, v in json.loads(openpose.read_text()).items()} == {
        "a.jpg": 1,
        "b12.jpg": 2,
    }
    assert len(table.read_text().splitlines()) == 1 + 3 * 18
