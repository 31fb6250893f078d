"""Export formats, read back by the official tools and by the standard library."""

import csv
import io
import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from places import COLLAGE

from pose import PoseEstimator
from pose.errors import UserError
from pose.export import (
    CSV_COLUMNS,
    FramePosition,
    coco_results,
    csv_rows,
    csv_text,
    image_id_of,
    json_text,
    openpose_json,
)
from pose.files import write_text
from pose.person import Person
from pose.skeleton import COCO_TO_KEYPOINT, KEYPOINTS


def person_with(score: float = 1.0, **points: tuple[float, float, float]) -> Person:
    keypoints = np.full((18, 3), np.nan, np.float32)
    keypoints[:, 2] = 0
    for name, point in points.items():
        index = [k.name for k in KEYPOINTS].index(name.replace("_", " "))
        keypoints[index] = point
    return Person(keypoints, score)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture(scope="module")
def found() -> tuple[Person, ...]:
    """People that the bundled network finds in an example photo."""
    people = PoseEstimator.from_pretrained("mobilenet-thin")(COLLAGE).people
    assert len(people) >= 4
    return people


def test_coco_entry_has_51_numbers_in_coco_order():
    person = person_with(
        2.5, nose=(10.126, 20.0, 0.9), left_wrist=(-3.5, 7.25, 0.4), neck=(1, 2, 0.7)
    )
    (entry,) = coco_results([person], 42, "a.jpg")
    keypoints = np.array(entry["keypoints"]).reshape(17, 3)
    assert entry["keypoints"][:3] == [10.13, 20.0, 1]
    assert keypoints[9].tolist() == [-3.5, 7.25, 1]
    missing = [i for i in range(17) if i not in (0, 9)]
    assert (keypoints[missing] == 0).all()
    assert {k: v for k, v in entry.items() if k != "keypoints"} == {
        "image_id": 42,
        "category_id": 1,
        "score": 2.5,
        "file_name": "a.jpg",
    }


def test_a_person_without_coco_keypoints_is_left_out():
    assert coco_results([person_with(neck=(1, 2, 0.5))], 1, "a.jpg") == []


def test_pycocotools_scores_its_own_export_as_perfect(found, tmp_path):
    coco = pytest.importorskip("pycocotools.coco")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    results = coco_results(found, 7, "four-people.jpg")
    file = tmp_path / "results.json"
    write_text(file, json_text(results))

    truth = coco.COCO()
    truth.dataset = {
        "images": [{"id": 7, "file_name": "four-people.jpg", "width": 900, "height": 900}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [annotation(person, n) for n, person in enumerate(found, start=1)],
    }
    truth.createIndex()
    loaded = truth.loadRes(str(file))
    evaluation = cocoeval.COCOeval(truth, loaded, "keypoints")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)
    assert len(loaded.anns) == len(found)


def annotation(person: Person, number: int) -> dict:
    points = person.keypoints[list(COCO_TO_KEYPOINT)]
    there = points[:, 2] > 0
    numbers = np.where(there[:, None], points, 0)
    numbers[:, 2] = np.where(there, 2, 0)
    x, y, width, height = person.box
    return {
        "id": number,
        "image_id": 7,
        "category_id": 1,
        "iscrowd": 0,
        "keypoints": numbers.ravel().tolist(),
        "num_keypoints": int(there.sum()),
        "bbox": [x, y, width, height],
        "area": max(width * height, 33.0**2),
    }


def test_nobody_is_an_empty_list_in_every_format():
    assert json.loads(json_text(coco_results([], 1, "a.jpg"))) == []
    assert openpose_json([]) == {"version": 1.3, "people": []}
    assert csv_text(csv_rows([], "a.jpg")) == ",".join(CSV_COLUMNS) + "\n"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("000000000139.jpg", 139),
        ("folder_9/COCO_val2014_000000000042.jpg", 42),
        ("clip 3 frame 007.png", 7),
        ("holiday.jpg", 5),
        ("holiday.mp4", 5),
        ("사진12.jpg", 12),
        ("١٢.jpg", 5),
    ],
)
def test_image_id_is_the_last_run_of_digits(path, expected):
    assert image_id_of(path, 5) == expected


def test_openpose_layout_has_the_documented_keys_and_order(found):
    data = json.loads(json_text(openpose_json(found)))
    assert data["version"] == 1.3
    assert len(data["people"]) == len(found)
    for entry, person in zip(data["people"], found, strict=True):
        assert set(entry) == {
            "person_id",
            *(f"{part}_keypoints_{d}d" for d in (2, 3) for part in ("pose", "face")),
            *(f"hand_{side}_keypoints_{d}d" for d in (2, 3) for side in ("left", "right")),
        }
        assert entry["person_id"] == [-1]
        body = np.array(entry["pose_keypoints_2d"]).reshape(18, 3)
        there = person.found
        assert np.allclose(body[there], person.keypoints[there], atol=0.006)
        assert (body[~there] == 0).all()
        assert all(entry[key] == [] for key in set(entry) - {"person_id", "pose_keypoints_2d"})


def test_openpose_takes_the_ids_of_a_video():
    people = [person_with(nose=(1, 1, 1)), person_with(nose=(2, 2, 1))]
    answer = openpose_json(people, FramePosition(3, 0.12, (4, 9)), (480, 640))
    assert [p["person_id"] for p in answer["people"]] == [[4], [9]]
    assert (answer["canvas_width"], answer["canvas_height"], answer["time"]) == (640, 480, 0.12)


def test_csv_has_18_rows_a_person_and_empty_places(found):
    text = csv_text(csv_rows(found, 'a, "b".jpg'))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 18 * len(found)
    assert tuple(rows[0]) == CSV_COLUMNS
    for i, row in enumerate(rows):
        person, keypoint = found[i // 18], i % 18
        assert row["image"] == 'a, "b".jpg'
        assert int(row["person"]) == i // 18 + 1
        assert row["keypoint"] == KEYPOINTS[keypoint].name
        assert bool(int(row["visible"])) == bool(person.found[keypoint])
        if person.found[keypoint]:
            assert float(row["x"]) == pytest.approx(person.keypoints[keypoint, 0], abs=0.006)
            assert float(row["score"]) == pytest.approx(person.keypoints[keypoint, 2], abs=1e-5)
        else:
            assert (row["x"], row["y"], row["score"]) == ("", "", "0.0")


def test_json_is_valid_ascii_without_nan_and_the_same_twice(found):
    text = json_text(coco_results(found, 1, "사진.jpg"))
    assert text == json_text(coco_results(found, 1, "사진.jpg"))
    assert text.isascii() and "NaN" not in text
    assert json.loads(text)[0]["file_name"] == "사진.jpg"
    assert text.count("\n") == len(found) + 2
    with pytest.raises(ValueError):
        json_text({"x": float("nan")})


def test_minus_zero_is_written_as_zero():
    (entry,) = coco_results([person_with(nose=(-0.001, 0, 1))], 1, "a")
    assert json.dumps(entry["keypoints"][:2]) == "[0.0, 0.0]"


def test_a_file_is_written_whole_into_new_folders(tmp_path):
    target = tmp_path / "new" / "deep" / "people.json"
    write_text(target, "이름\n")
    assert target.read_bytes() == "이름\n".encode()
    write_text(target, "second")
    assert target.read_text() == "second"
    assert names_in(target.parent) == ["people.json"]


def test_a_reader_never_sees_half_a_file(tmp_path):
    target = tmp_path / "out.json"
    texts = {letter * 200_000 for letter in "ab"}
    write_text(target, "a" * 200_000)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for text in texts:
                write_text(target, text)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert all(target.read_text() in texts for _ in range(100))
    finally:
        stop.set()
        writer.join()
    assert names_in(tmp_path) == ["out.json"]


def test_a_symbolic_link_and_its_target_stay(tmp_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write_text(tmp_path / "link.csv", "new")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "new"


def test_a_device_is_written_to_and_not_replaced():
    write_text(os.devnull, "x")
    assert not Path(os.devnull).is_file()


@pytest.mark.parametrize("kind", ["folder", "file as folder"])
def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path, kind):
    (tmp_path / "file").write_text("kept")
    target = tmp_path if kind == "folder" else tmp_path / "file" / "x.json"
    with pytest.raises(UserError, match="cannot write") as caught:
        write_text(target, "x")
    assert "\n" not in str(caught.value)
    assert names_in(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "kept"
