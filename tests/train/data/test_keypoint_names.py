"""Names of keypoints in the spellings of many tools."""

from __future__ import annotations

import pytest

from train.data.keypoint_names import canonical, id_text


@pytest.mark.parametrize(
    "name",
    [
        "left_eye",
        "Left Eye",
        "LEFT-EYE",
        "LEye",
        "l_eye",
        "leftEye",
        "eye_left",
        "lefteye",
        "L.eye",
    ],
)
def test_spellings(name):
    assert canonical(name) == "left eye"


@pytest.mark.parametrize("name", ["7", "kp_7", "keypoint 3", "Point12", "", 4])
def test_names_that_say_nothing(name):
    assert canonical(name) == ""


def test_other_keypoints_stay_other():
    assert canonical("left_front_paw") == "left front paw"
    assert canonical("L_B_Knee") == "left b knee"


def test_ids():
    assert {id_text(value) for value in (7, 7.0, "7", "7.0", " 007 ")} == {"7"}
    assert id_text(None) is None and id_text("") is None
    assert id_text("img_7") == "img_7"
