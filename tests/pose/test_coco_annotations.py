"""COCO annotations: read by pycocotools and by our own training, with OKS 1 against the people."""

from __future__ import annotations

import json

import numpy as np
import pytest
from drawn_people import person_at
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pose.coco_annotations import (
    HIDDEN,
    MISSING,
    LabelledPerson,
    LabelledPhoto,
    coco_annotations,
    with_photo,
)
from pose.export import coco_results, json_text
from pose.skeleton import COCO_TO_KEYPOINT, NECK
from train.data.coco import read_coco

SIZE = (480, 640)


def labelled(x: float, y: float, size: float = 100.0) -> LabelledPerson:
    """A person with a hidden and a missing keypoint."""
    person = LabelledPerson.of(person_at(x, y, size))
    person.labels[[4, 10]] = HIDDEN, MISSING
    person.person.keypoints[10] = (np.nan, np.nan, 0)
    return person


@pytest.fixture
def photos() -> list[LabelledPhoto]:
    return [
        LabelledPhoto("a.jpg", SIZE, [labelled(10, 20), labelled(300.25, 50.5, 200)]),
        LabelledPhoto("nobody.jpg", SIZE, []),
        LabelledPhoto("b.jpg", SIZE, [labelled(500, 380)]),
    ]


def test_pycocotools_gives_ap_1_to_the_same_people(photos, tmp_path):
    file = tmp_path / "annotations.json"
    file.write_text(json_text(coco_annotations(photos)))
    truth = COCO(str(file))
    results = [
        entry
        for number, photo in enumerate(photos, start=1)
        for entry in coco_results([p.person for p in photo.people], number, photo.file_name)
    ]
    evaluation = COCOeval(truth, truth.loadRes(results), "keypoints")
    evaluation.params.useSegm = None
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1)
    assert sorted(np.diag(evaluation.computeOks(1, 1))) == pytest.approx([1, 1])


def test_the_layout_is_the_official_one(photos):
    data = coco_annotations(photos)
    person = data["annotations"][0]
    assert person["num_keypoints"] == 16
    assert person["keypoints"][2::3].count(1) == 1
    assert person["keypoints"][3 * 10 + 2] == 1  # the right wrist is COCO's 11th keypoint
    assert (person["iscrowd"], person["category_id"]) == (0, 1)
    assert [entry["id"] for entry in data["annotations"]] == [1, 2, 3]
    assert data["images"][1] == {"id": 2, "file_name": "nobody.jpg", "width": 640, "height": 480}
    for entry in data["annotations"]:
        x, y, width, height = entry["bbox"]
        assert x >= 0 and y >= 0 and x + width <= 640 and y + height <= 480
        assert entry["area"] == pytest.approx(0.53 * width * height, abs=0.02)
        points = np.reshape(entry["keypoints"], (17, 3))
        places = points[points[:, 2] > 0, :2]
        assert (places >= (x, y)).all() and (places <= (x + width, y + height)).all()
    (category,) = data["categories"]
    assert len(category["keypoints"]) == 17 and len(category["skeleton"]) == 19


def test_our_training_reads_the_same_people(photos, tmp_path):
    file = tmp_path / "annotations.json"
    file.write_text(json_text(coco_annotations(photos)))
    read = read_coco(file, None)
    assert read.notes == ()
    for image, photo in zip(read.images, photos, strict=True):
        assert image.file_name == photo.file_name
        for person, expected in zip(image.people, photo.people, strict=True):
            coco = list(COCO_TO_KEYPOINT)
            np.testing.assert_allclose(
                person.keypoints[:, :2], expected.person.keypoints[coco, :2], atol=0.005
            )
            np.testing.assert_array_equal(person.keypoints[:, 2], expected.labels[coco])


def test_a_photo_again_replaces_its_people_and_nothing_else(photos):
    before = coco_annotations(photos) | {"info": {"year": 2026}}
    after = with_photo(before, LabelledPhoto("a.jpg", SIZE, [labelled(0, 0)]))
    assert [image["id"] for image in after["images"]] == [1, 2, 3]
    assert after["info"] == {"year": 2026}
    assert [a["image_id"] for a in after["annotations"]] == [3, 1]
    assert len({a["id"] for a in after["annotations"]}) == 2
    assert before["annotations"][0]["image_id"] == 1  # the argument is left alone


def test_nobody_with_only_a_neck_is_annotated():
    person = labelled(10, 10)
    person.labels[np.arange(18) != NECK] = MISSING
    assert coco_annotations([LabelledPhoto("a.jpg", SIZE, [person])])["annotations"] == []


def test_the_category_is_cocos_own(coco_val):
    (category,) = json.loads(coco_val.annotations.read_text())["categories"]
    (ours,) = coco_annotations([LabelledPhoto("a.jpg", SIZE, [])])["categories"]
    assert ours == category
