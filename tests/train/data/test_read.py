"""Layouts of data sets, and the same people for every command."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from drawn_annotations import same_people
from places import SHARED
from splits import read_split

from pose.errors import UserError
from train import oracle, preview
from train.__main__ import main as train
from train.data.coco import read_coco
from train.data.read import Source, find_source
from train.data.samples import training_data
from train.evaluate import main as evaluate

CASES = SHARED / "cases" / "coco"
REFUSED = {
    "ap10k_animals": "expected are COCO's 17",
    "five_keypoints": "expected are COCO's 17",
    "bbox_xyxy": "boxes reach beyond the photo",
    "kp_normalised": "span one pixel",
    "wh_swapped": '"width" and "height" .* swapped',
    "wh_wrong_half": '"width" and "height"',
    "zero_annotations": "no person with keypoints",
}
PEOPLE = {"cvat_track": 13, "mostly_unannotated": 1, "one_person_id_0": 1}


def test_any_split_name_and_photos_in_a_subfolder(drawn, plain):
    drawn.file.rename(drawn.file.with_name("person_keypoints_mine.json"))
    (drawn.folder / "images").mkdir()
    drawn.photos.rename(drawn.folder / "images" / "mine")
    assert find_source(drawn.folder, "mine").folder == drawn.folder / "images" / "mine"
    assert len(read_split(drawn.folder, "mine").samples) == 5


def roboflow(drawn) -> tuple[Path, None]:
    """Annotations beside the photos."""
    return shutil.move(drawn.write(), drawn.photos / "_annotations.coco.json"), None


def label_studio(drawn) -> tuple[Path, Path]:
    """result.json beside images/."""
    for image in drawn.images:
        image["file_name"] = f"images\\{image['file_name']}"
    export = drawn.folder / "export"
    export.mkdir()
    shutil.move(drawn.write(), export / "result.json")
    drawn.photos.rename(export / "images")
    return export / "result.json", export / "images"


def cvat(drawn) -> tuple[Path, Path]:
    """annotations/person_keypoints_default.json and images/default/."""
    photos = drawn.folder / "images" / "default"
    photos.parent.mkdir()
    drawn.photos.rename(photos)
    file = drawn.write()
    return file.rename(file.with_name("person_keypoints_default.json")), photos


@pytest.mark.parametrize("export", [roboflow, label_studio, cvat])
def test_exports_of_tools(drawn, plain, export):
    file, photos = export(drawn)
    read = find_source(None, "val2017", Path(file), photos).read()
    for image, same in zip(read.images, plain.images, strict=True):
        assert image.path is not None and image.path.name == same.file_name
        assert image.keypoints.tobytes() == same.keypoints.tobytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((None, "x"), "Give --data COCO_DIR, or --annotations FILE"),
        ((Path("nowhere"), "x"), "There is no folder nowhere"),
        ((None, "x", Path("no.json")), "There is no file no.json"),
        ((None, "x", None, Path("photos")), "--images goes with --annotations"),
        ((Path("a"), "x", Path("b.json")), "either --data or --annotations"),
    ],
)
def test_sources_that_are_none(options, message):
    with pytest.raises(UserError, match=message):
        find_source(*options)


def test_a_split_that_is_not_there(drawn, plain):
    with pytest.raises(UserError, match=r"person_keypoints_val2017\.json.*--annotations"):
        find_source(drawn.folder, "val2017")


def case_source(case: Path) -> Source:
    """Most cases have the photos of the slice, which a small text file points to."""
    photos = case / "train2017"
    folder = photos if photos.is_dir() else SHARED / "coco" / "train2017"
    return Source(case / "annotations" / "person_keypoints_train2017.json", folder, "train2017")


@pytest.mark.skipif(not CASES.is_dir(), reason="the annotation cases are not on this machine")
def test_cases_of_real_tools():
    for case in sorted(CASES.iterdir()):
        source = case_source(case)
        if case.name in REFUSED:
            with pytest.raises(UserError, match=REFUSED[case.name]):
                source.read()
            continue
        read = source.read()
        people = sum(len(image.labelled) for image in read.images)
        assert people == PEOPLE.get(case.name, 27), case.name
        assert all(image.path for image in read.images), case.name
        assert training_data(read).samples


@pytest.mark.parametrize("kind", ["right", "wrong"])
def test_commands_agree(drawn, tmp_path, capfd, kind):
    """Train, evaluate, preview and oracle take the same file, and refuse the same file."""
    drawn.people[0]["id"] = drawn.people[1]["id"]
    for image in drawn.images:
        del image["width"]
        if kind == "wrong":
            image["width"], image["height"] = 77, 1000
    data = ["--annotations", str(drawn.write()), "--images", str(drawn.photos)]
    metrics, run = tmp_path / "metrics.json", tmp_path / "run"
    small = ["--network", "mobilenet-thin", "--crop", "64", "--batch-size", "2"]
    cheap = [*small, "--max-steps", "1", "--workers", "0", "--device", "cpu", "--no-progress"]
    commands = [
        (evaluate, ["--short-sides", "64", "--device", "cpu", "--output", str(metrics)]),
        (preview.main, ["--crop", "64", "--output", str(tmp_path / "preview.png")]),
        (oracle.main, ["--short-sides", "368"]),
        (train, [*cheap, "--output", str(run)]),
    ]
    for command, options in commands:
        assert command([*data, *options]) == (0 if kind == "right" else 2)
        said = capfd.readouterr()
        if kind == "right":
            assert "sizes read from the photos (3)" in said.out + said.err
        else:
            assert '"width" and "height" of a.jpg' in said.err.strip().splitlines()[-1]
    if kind == "right":
        assert json.loads(metrics.read_text())["people"]["labelled"] == 5
        assert "5 samples" in (run / "log.txt").read_text()


def test_reading_twice_is_the_same(drawn, plain):
    assert same_people(read_coco(drawn.file, drawn.photos), plain)
