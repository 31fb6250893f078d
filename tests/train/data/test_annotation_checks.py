"""Annotations that would train or measure nonsense are refused, and say what to correct."""

from __future__ import annotations

import numpy as np
import pytest

from pose.errors import UserError


def change_keypoints(drawn, change):
    for person in drawn.people:
        size = next(i for i in drawn.images if i["id"] == person["image_id"])
        body = np.reshape(person["keypoints"], (17, 3)).astype(float)
        body[:, :2] = change(body[:, :2], np.array([size["width"], size["height"]]))
        person["keypoints"] = body.ravel().tolist()


def corners(drawn):
    for person in drawn.people:
        x, y, width, height = person["bbox"]
        person["bbox"] = [x, y, x + width, y + height]


def centres(drawn):
    for person in drawn.people:
        x, y, width, height = person["bbox"]
        person["bbox"] = [x + 2 * width, y + 2 * height, width, height]


def normalised_boxes(drawn):
    for person in drawn.people:
        person["bbox"] = [v / 400 for v in person["bbox"]]


def animals(drawn):
    names = drawn.content["categories"][0]["keypoints"]
    names[3:5] = ["neck", "root_of_tail"]
    drawn.content["categories"][0]["name"] = "horse"


def five_keypoints(drawn):
    drawn.content["categories"][0]["keypoints"] = ["nose", "left_eye", "right_eye", "mouth", "chin"]
    for person in drawn.people:
        person["keypoints"] = person["keypoints"][:15]


def swapped_sizes(drawn):
    for image in drawn.images:
        image["width"], image["height"] = image["height"], image["width"]


def sizes_times(factor):
    def change(drawn):
        for image in drawn.images:
            image["width"], image["height"] = (
                int(image[side] * factor) for side in ("width", "height")
            )

    return change


def unlabel(person):
    person["keypoints"][2::3] = [0] * 17


REFUSED = {
    "shares of the photo": (lambda d: change_keypoints(d, lambda p, s: p / s), "span one pixel"),
    "percentages": (lambda d: change_keypoints(d, lambda p, s: p / s * 100), "percentages"),
    "labels of a larger photo": (
        lambda d: change_keypoints(d, lambda p, s: p * 2),
        "keypoints reach beyond the photo",
    ),
    "from the middle": (
        lambda d: change_keypoints(d, lambda p, s: p - s / 2),
        "keypoints reach beyond the photo",
    ),
    "corners": (corners, "boxes reach beyond the photo"),
    "boxes elsewhere": (centres, "(?s)outside their boxes|beyond the photo"),
    "normalised boxes": (normalised_boxes, "outside their boxes"),
    "animals": (animals, "'horse' has 17 keypoints without left ear, right ear; expected.*nose"),
    "five keypoints": (five_keypoints, "'person' has 5 keypoints.*expected are COCO's 17: nose"),
    "swapped sizes": (swapped_sizes, '"width" and "height" of a.jpg are 240 and 320.*swapped'),
    "half sizes": (sizes_times(0.5), '"width" and "height" .* reach beyond'),
    "double sizes": (sizes_times(2), '"width" and "height" .* fit into the photo as it is'),
    "another shape": (lambda d: d.images[0].update(width=300), '"width" and "height" of a.jpg'),
    "labels all 0": (lambda d: [unlabel(p) for p in d.people], "labelled 0, which is missing"),
    "no annotations": (lambda d: d.people.clear(), "has no person with keypoints"),
}


@pytest.mark.parametrize(("change", "message"), REFUSED.values(), ids=REFUSED)
def test_nonsense_is_refused(drawn, change, message):
    change(drawn)
    with pytest.raises(UserError, match=message) as raised:
        drawn.read()
    assert "\n" not in str(raised.value)


def test_one_wrong_size_among_many_is_left_out(drawn):
    """The photo stays unused; its reason is the one that evaluation reports."""
    for number in range(20):
        name = f"copy{number}.jpg"
        (drawn.photos / name).write_bytes((drawn.photos / "a.jpg").read_bytes())
        drawn.images.append({**drawn.images[0], "id": 50 + number, "file_name": name})
    drawn.images[1]["width"] = 100
    read = drawn.read()
    wrong = [i for i in read.images if i.problem]
    assert [i.file_name for i in wrong] == ["b.jpg"]
    assert wrong[0].problem == (
        '"width" and "height" of b.jpg are 100 and 320, but the photo has 240 x 320 pixels'
    )
    assert any("1 photos that do not fit their annotations (b.jpg)" in note for note in read.notes)


def test_a_label_a_little_beyond_the_photo_is_fine(drawn):
    drawn.people[1]["keypoints"][0] = 322.0
    drawn.people[1]["bbox"][2] = 93
    drawn.read()
