"""Annotation files as tools write them: the same people, whatever a file leaves out."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_annotations import same_people

from pose.errors import UserError
from pose.skeleton import NECK
from train.data.annotations import with_neck


def every(key, change):
    """A change of one field of every annotation."""

    def make(drawn):
        for number, person in enumerate(drawn.people):
            person[key] = change(number, person)

    return make


def without(kind, *keys):
    def make(drawn):
        for entry in drawn.content[kind]:
            for key in keys:
                del entry[key]

    return make


def image_ids(change):
    def make(drawn):
        ids = {image["id"]: change(image["id"]) for image in drawn.images}
        for image in drawn.images:
            image["id"] = ids[image["id"]]
        for person in drawn.people:
            person["image_id"] = ids[person["image_id"]]

    return make


def category(**fields):
    def make(drawn):
        drawn.content["categories"][0] |= fields
        for person in drawn.people:
            person["category_id"] = drawn.content["categories"][0]["id"]

    return make


def two_categories(drawn):
    names = drawn.content["categories"][0]["keypoints"]
    drawn.content["categories"] = [
        {"id": 1, "name": "man", "keypoints": names},
        {"id": 2, "name": "woman", "keypoints": names},
        {"id": 3, "name": "dog"},
    ]
    drawn.people[1]["category_id"] = 2


def null_keypoints(drawn):
    for person in drawn.people:
        person["keypoints"][45:48] = [None, None, None]


def visible_zeros(drawn):
    for person in drawn.people:
        person["keypoints"][45:48] = [0, 0, 2]


def other_order(drawn):
    """Left and right blocks, as some tools order them, with names in another spelling."""
    order = [0, *range(1, 17, 2), *range(2, 17, 2)]
    names = drawn.content["categories"][0]["keypoints"]
    spelled = [names[i].replace("left_", "L ").replace("right_", "R-").title() for i in order]
    drawn.content["categories"][0]["keypoints"] = spelled
    for person in drawn.people:
        body = np.reshape(person["keypoints"], (17, 3))[order]
        person["keypoints"] = body.ravel().tolist()


def with_a_neck(drawn):
    """18 keypoints, the neck first."""
    drawn.content["categories"][0]["keypoints"].insert(0, "neck")
    for person in drawn.people:
        person["keypoints"] = [1, 1, 2, *person["keypoints"]]


def track_of_nobody(drawn):
    empty = {**drawn.people[0], "bbox": [0, 0, 0, 0], "area": 0, "keypoints": []}
    drawn.people[:0] = [{**empty, "num_keypoints": 0, "id": 900}, {**empty, "keypoints": [0] * 51}]


SAME = {
    "ids repeated in each image": every("id", lambda n, p: n % 2),
    "ids all 0": every("id", lambda n, p: 0),
    "ids as text": every("id", lambda n, p: str(p["id"])),
    "no ids": without("annotations", "id"),
    "image ids as text": image_ids(str),
    "image ids of both kinds": lambda d: [i.update(id=str(i["id"])) for i in d.images],
    "category 0": category(id=0),
    "category 5": category(id=5),
    "category id as text": category(id="7"),
    "two categories of people": two_categories,
    "no categories": lambda d: d.content.pop("categories"),
    "empty categories": lambda d: d.content.update(categories=[]),
    "category without keypoints": lambda d: d.content["categories"][0].pop("keypoints"),
    "numbered keypoints": category(keypoints=[str(n) for n in range(17)]),
    "no count": without("annotations", "num_keypoints"),
    "wrong count": every("num_keypoints", lambda n, p: 0),
    "no crowd flag": without("annotations", "iscrowd"),
    "null keypoints": null_keypoints,
    "visible keypoints at 0, 0": visible_zeros,
    "another order of keypoints": other_order,
    "a neck as well": with_a_neck,
    "empty tracks": track_of_nobody,
    "sizes as text": lambda d: [
        i.update(width=str(i["width"]), height=f"{i['height']}") for i in d.images
    ],
    "no sizes": without("images", "width", "height"),
    "sizes 0": lambda d: [i.update(width=0, height=0) for i in d.images],
    "numbers as text": every("bbox", lambda n, p: [str(v) for v in p["bbox"]]),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_the_same_people(drawn, plain, change):
    change(drawn)
    assert same_people(drawn.read(), plain)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings(drawn, plain, encoding):
    assert same_people(drawn.read(encoding), plain)


def test_images_named_in_words_get_numbers(drawn, plain):
    image_ids(lambda i: f"img_{'abc'[i - 5]}")(drawn)
    named = drawn.read()
    assert same_people(named, plain)
    assert [i.image_id for i in named.images] == [1, 2, 3]
    assert "img_b" in named.images[1].names


@pytest.mark.parametrize("area", [None, 0, -3, "much"])
def test_areas_are_derived(drawn, area):
    for person in drawn.people:
        person["area"] = area
    drawn.people[0]["segmentation"] = [[10, 60, 70, 60, 70, 200]]
    drawn.people[1]["segmentation"] = []
    read = drawn.read()
    first, second = read.images[0].labelled
    assert first.area == 60 * 140 / 2
    assert second.area == pytest.approx(0.53 * 60 * 140)
    assert "areas derived from the outline or the box (5)" in read.notes[0]


def test_boxes_are_derived_from_keypoints(drawn, plain):
    without("annotations", "bbox")(drawn)
    read = drawn.read()
    assert same_people(read, plain, only_keypoints=True)
    assert read.images[1].labelled[0].box == (128, 155, 44, 125)
    assert read.notes == ("Annotations adjusted: boxes derived from the keypoints (5).",)


def test_results_of_the_page_are_annotations(drawn, plain):
    """The export has no images, no boxes and no categories."""
    names = {image["id"]: image["file_name"] for image in drawn.images}
    for person in drawn.people:
        person["keypoints"][2::3] = [min(v, 1) for v in person["keypoints"][2::3]]
    drawn.content = [
        {
            "image_id": 1,
            "file_name": names[person["image_id"]],
            "category_id": 1,
            "keypoints": person["keypoints"],
            "score": 0.7,
        }
        for person in drawn.people
    ]
    read = drawn.read()
    assert [i.path for i in read.images] == [i.path for i in plain.images]
    for one, other in zip(read.images, plain.images, strict=True):
        np.testing.assert_array_equal(one.keypoints[..., :2], other.keypoints[..., :2])


def test_crowds_and_people_without_keypoints_are_kept_apart(drawn):
    drawn.people[0] |= {"iscrowd": 1, "segmentation": {"size": [240, 320], "counts": [76800]}}
    drawn.people[1]["keypoints"] = [0] * 51
    image = drawn.read().images[0]
    assert not image.labelled and len(image.people) == 2
    assert len(image.crowds) == len(image.unlabelled) == 1 and image.crowds[0].rle
    assert len(image.single_people) == 1


def test_what_cannot_be_used_is_counted_and_left_out(drawn):
    first = drawn.people[0]
    drawn.content["categories"].append({"id": 7, "name": "train"})
    drawn.people.extend(
        [
            {**first, "id": 1, "image_id": 123456},
            {**first, "id": 2, "category_id": 7},
            {**first, "id": 3, "category_id": 99},
            {**first, "id": 4, "keypoints": [1, 2, 3]},
            {**first, "id": 5, "keypoints": "all of them"},
            {**first, "id": 6, "segmentation": [[1, 2, 3]]},
            {**first, "id": 7, "segmentation": {"counts": [1], "size": [2, 2]}, "iscrowd": 1},
            None,
        ]
    )
    drawn.images.append({"id": 99})
    read = drawn.read()
    (line,) = read.notes
    for part in (
        "1 annotations of an unknown image (annotation 1)",
        "2 annotations of a category without COCO's 17 keypoints (annotation 2 and others)",
        "2 annotations without 51 numbers as keypoints (annotation 4 and others)",
        "2 broken segmentations, whose boxes are used (annotation 6 and others)",
        "1 annotations that are no objects",
        "1 images without an id or a file name (number 3)",
    ):
        assert part in line
    assert sum(len(i.labelled) for i in read.images) == 6


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"images": []}', '{"images": [{"id": 1}]}', "[1]", "\udcff"]
)
def test_files_that_are_not_coco(drawn, text):
    drawn.write().write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=r"person_keypoints_train2017\.json") as raised:
        from train.data.coco import read_coco

        read_coco(drawn.file, drawn.photos)
    assert "\n" not in str(raised.value)


def test_two_images_with_one_id_are_refused(drawn):
    drawn.images[1]["id"] = drawn.images[0]["id"]
    with pytest.raises(UserError, match=r"a\.jpg and b\.jpg have the same id, 5"):
        drawn.read()


def test_neck_lies_between_the_shoulders_and_needs_both():
    coco = np.zeros((17, 3))
    coco[5], coco[6] = (10, 20, 2), (30, 40, 1)
    assert with_neck(coco)[NECK].tolist() == [20, 30, 1]
    coco[6] = 0
    assert np.isnan(with_neck(coco)[NECK, 0]) and with_neck(coco)[NECK, 2] == 0
