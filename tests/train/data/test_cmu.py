"""The CMU format: COCO.json and mask/."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from splits import read_split

from pose.errors import UserError
from train.data.dataset import CropDataset
from train.data.order import Draw
from train.data.photo_files import read_photo
from train.data.read import find_source
from train.evaluation.ground_truth import choose_images, coco_ground_truth


@pytest.fixture
def cmu(small_coco, tmp_path):
    """The small data set rewritten the way the authors' scripts write it."""
    folder = tmp_path / "cmu"
    (folder / "mask" / "train2017").mkdir(parents=True)
    (small_coco.folder / "train2017").rename(folder / "train2017")
    root = []
    annotations = small_coco.content["annotations"]
    for number, image in enumerate(small_coco.content["images"]):
        people = [a for a in annotations if a["image_id"] == image["id"] and a["num_keypoints"]]
        joints = []
        for person in people:
            body = np.array(person["keypoints"], float).reshape(17, 3)
            body[:, 2] = np.choose(body[:, 2].astype(int), [2, 0, 1])
            joints.append(body.tolist())
        x, y, w, h = people[0]["bbox"]
        others = joints[1] if len(joints) == 2 else joints[1:]  # a single one loses its list
        root.append(
            {
                "dataset": "COCO_val",
                "isValidation": float(number == 3),
                "img_paths": f"train2017/{image['file_name']}",
                "img_width": image["width"],
                "img_height": image["height"],
                "objpos": [x + w / 2, y + h / 2],
                "image_id": image["id"],
                "joint_self": joints[0],
                "scale_provided": h / 368,
                "joint_others": others,
            }
        )
        mask = np.full((image["height"], image["width"]), 255, np.uint8)
        mask[: image["height"] // 2] = 0
        name = f"mask_COCO_train2017_{image['id']:012d}.jpg"
        cv2.imwrite(str(folder / "mask" / "train2017" / name), mask)
    (folder / "COCO.json").write_text(json.dumps({"root": root}))
    return folder, root


def test_the_same_people_as_in_cocos_own_format(cmu, coco_dir):
    folder, _ = cmu
    data = read_split(folder, "train2017")
    official = {i.image_id: i for i in read_split(coco_dir).images}
    assert len(data.images) == 3 and len(data.samples) == 3
    for labels in data.images:
        np.testing.assert_array_equal(labels.keypoints, official[labels.image_id].keypoints)
        assert labels.size == official[labels.image_id].size
    assert len(read_split(folder, "val2017").images) == 1


def test_its_masks_are_used(cmu, settings):
    folder, _ = cmu
    data = read_split(folder / "COCO.json", "train2017")
    cheap = settings(data=folder, rotation=0, shift=0, flip=0, scale_min=0.5, scale_max=0.5)
    sample = CropDataset(data, cheap)[Draw(0, 0, 0)]
    labels, crop = data.images[0], data.samples[0].crop
    border = (labels.size[0] / 2 - crop.centre[1]) * 0.3 * 368 / crop.height + 183.5
    row = int(border // 8)
    column = sample.mask[:, 23]
    top = max(0, round((0 - crop.centre[1]) * 0.3 * 368 / crop.height + 183.5) // 8 + 1)
    assert (column[top : row - 1] == 0).all() and (column[row + 2 :] == 255).all()


def test_bad_entries_are_counted(cmu):
    folder, root = cmu
    root[0]["joint_self"] = [[1, 2]]
    root[1]["img_paths"] = "train2017/nowhere.jpg"
    root.append({"isValidation": 0})
    root.append(None)
    (folder / "COCO.json").write_text(json.dumps({"root": root}))
    data = read_split(folder, "train2017")
    left_out, missing = data.notes
    assert "1 entries with unusable numbers" in left_out and "2 entries without an" in left_out
    assert missing == "1 images have no photo: train2017/nowhere.jpg."
    assert len(data.samples) == 1
    (folder / "COCO.json").write_text('{"root": []}')
    with pytest.raises(UserError, match="CMU's format"):
        read_split(folder, "train2017")


def test_it_can_be_measured_as_well(cmu):
    folder, _ = cmu
    annotations = find_source(folder, "val2017").read()
    (image,) = choose_images(annotations).images
    assert read_photo(image).shape[:2] == image.size
    ground_truth = coco_ground_truth(annotations.images)
    assert len(ground_truth.anns) == len(image.labelled)
    assert all(person["area"] > 0 for person in ground_truth.anns.values())
