"""Reading COCO, good and bad."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pose.errors import UserError
from pose.skeleton import NECK
from train.coco import eighteen, main_persons, read_coco, read_names, take_slice


def test_the_real_slice(coco_dir):
    data = read_coco(coco_dir, "train2017")
    assert not data.problems.counts
    people = sum(len(i.keypoints) for i in data.images)
    assert people == 688
    assert any(i.crowds and i.not_crowd for i in data.images)
    assert any(i.ignored for i in data.images)
    for labels in data.images[:50]:
        missing = labels.keypoints[..., 2] == 0
        assert np.isnan(labels.keypoints[..., :2][missing]).all()
        assert np.isfinite(labels.keypoints[..., :2][~missing]).all()


def test_main_persons_keep_their_distance(coco_dir):
    data = read_coco(coco_dir, "train2017")
    assert len(data.samples) < sum(len(i.keypoints) for i in data.images)
    for index, labels in enumerate(data.images):
        centres = [p.centre for p in data.samples if p.image == index]
        assert [p.centre for p in main_persons(index, labels)] == centres
        for i, later in enumerate(centres):
            for earlier in centres[:i]:
                place = [
                    (x + w / 2 - 0.5, y + h / 2 - 0.5) for x, y, w, h in labels.boxes.tolist()
                ].index(pytest.approx(earlier))
                size = labels.boxes[place, 2:].max()
                assert np.hypot(*np.subtract(later, earlier)) >= 0.3 * size


def test_neck_lies_between_the_shoulders_and_needs_both():
    coco = np.zeros((17, 3))
    coco[5], coco[6] = (10, 20, 2), (30, 40, 1)
    assert eighteen(coco)[NECK].tolist() == [20, 30, 1]
    coco[6] = 0
    assert np.isnan(eighteen(coco)[NECK, 0]) and eighteen(coco)[NECK, 2] == 0


def test_slices_are_reproducible_and_nested(coco_dir):
    data = read_coco(coco_dir, "train2017")
    some = take_slice(data, fraction=0.1, seed=3)
    again = take_slice(data, fraction=0.1, seed=3)
    assert [i.image_id for i in some.images] == [i.image_id for i in again.images]
    usable = len({p.image for p in data.samples})
    assert len(some.images) == round(usable * 0.1)
    assert [i.image_id for i in take_slice(data, 0.1, seed=4).images] != [
        i.image_id for i in some.images
    ]
    assert len(take_slice(data, max_images=5).images) == 5
    for sample in some.samples:
        assert main_persons(sample.image, some.images[sample.image])


def test_a_list_of_images(coco_dir, tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("000000000036.jpg\n\n")
    chosen = take_slice(read_coco(coco_dir, "train2017"), names=read_names(path))
    assert [i.image_id for i in chosen.images] == [36]
    path.write_text("\n")
    with pytest.raises(UserError, match="lists no image"):
        read_names(path)
    with pytest.raises(UserError, match="No image of the list"):
        take_slice(read_coco(coco_dir, "train2017"), names=frozenset({"nobody.jpg"}))


def test_hostile_annotations_are_counted_and_skipped(small_coco):
    content = small_coco.content
    first = next(a for a in content["annotations"] if a["num_keypoints"] >= 10)
    usable = len(read_coco(small_coco.folder, "train2017").samples)
    content["categories"].append({"id": 7, "name": "train"})
    content["annotations"] += [
        {**first, "id": 1, "image_id": 123456},
        {**first, "id": 2, "category_id": 7},
        {**first, "id": 3, "category_id": 99},
        {**first, "id": 4, "keypoints": [1, 2, 3]},
        {**first, "id": 5, "bbox": [0, 0, float("nan"), 4]},
        {**first, "id": 6, "bbox": "all of it"},
        {**first, "id": 7, "segmentation": [[1, 2, 3]]},
        {**first, "id": 8, "segmentation": {"counts": [1], "size": [2, 2]}, "iscrowd": 1},
    ]
    content["images"][1]["height"] = "tall"
    small_coco.image(0).unlink()
    lost = content["images"][0]["file_name"]
    small_coco.write()
    data = read_coco(small_coco.folder, "train2017")
    assert data.problems.counts == {
        "annotations of an unknown image": 1,
        "annotations of a category without COCO's 17 keypoints": 2,
        "annotations with unusable numbers": 3,
        "missing images": 1,
        "images without a size in the annotations": 1,
        **(
            {"broken segmentations (their boxes are used)": 2}
            if first["image_id"] != content["images"][0]["id"]
            else {}
        ),
    }
    assert any(lost in line and "1 missing images" in line for line in data.problems.lines())
    assert 0 < len(data.samples) <= usable + 1


def test_nothing_usable_is_an_error(small_coco):
    for annotation in small_coco.content["annotations"]:
        annotation["keypoints"] = [0] * 51
    small_coco.write()
    with pytest.raises(UserError, match="can be trained on"):
        read_coco(small_coco.folder, "train2017")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"images": []}', '{"images": [{"id": 1}]}'])
def test_files_that_are_not_coco(small_coco, text):
    (small_coco.folder / "annotations/person_keypoints_train2017.json").write_text(text)
    with pytest.raises(UserError) as told:
        read_coco(small_coco.folder, "train2017")
    assert "\n" not in str(told.value)


def test_missing_files_are_named(tmp_path, small_coco):
    with pytest.raises(UserError, match=r"person_keypoints_val2017\.json"):
        read_coco(small_coco.folder, "val2017")
    (small_coco.folder / "train2017").rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="no folder"):
        read_coco(small_coco.folder, "train2017")


def test_any_split_name_and_images_in_a_subfolder(small_coco):
    annotations = small_coco.folder / "annotations"
    text = (annotations / "person_keypoints_train2017.json").read_text()
    (annotations / "person_keypoints_mine.json").write_text(text)
    (small_coco.folder / "images").mkdir()
    (small_coco.folder / "train2017").rename(small_coco.folder / "images" / "mine")
    assert read_coco(small_coco.folder, "mine").samples
    assert json.loads(text)["images"]
