"""Angles of a drawn figure whose angles are known."""

import numpy as np
import pytest

from pose.motion.angles import ANGLE_NAMES, body_angles
from pose.skeleton import KEYPOINTS

INDEX = {keypoint.name: i for i, keypoint in enumerate(KEYPOINTS)}


def towards(start, degrees, length=50.0):
    """A point in a direction: 0 is up, clockwise as one sees the photo."""
    turn = np.radians(degrees)
    return np.asarray(start) + length * np.array([np.sin(turn), -np.cos(turn)])


def figure(knee=120.0, elbow=90.0, lean=20.0):
    """A person whose trunk leans, with one bent knee and one bent elbow."""
    points = {"right hip": (90.0, 200.0), "left hip": (110.0, 200.0)}
    points["neck"] = towards((100, 200), lean, 100)
    points["nose"] = towards(points["neck"], lean, 30)
    for side, x in (("right", -20), ("left", 20)):
        points[f"{side} shoulder"] = points["neck"] + (x, 0)
        points[f"{side} elbow"] = towards(points[f"{side} shoulder"], 180)
        points[f"{side} wrist"] = towards(points[f"{side} elbow"], 180)
        points[f"{side} knee"] = towards(points[f"{side} hip"], 180)
        points[f"{side} ankle"] = towards(points[f"{side} knee"], 180)
    points["left ankle"] = towards(points["left knee"], 180 + (180 - knee))
    points["right wrist"] = towards(points["right elbow"], 180 - (180 - elbow))
    keypoints = np.full((18, 3), (np.nan, np.nan, 0))
    for name, (x, y) in points.items():
        keypoints[INDEX[name]] = (x, y, 1)
    return keypoints


@pytest.mark.parametrize("knee", [45, 90, 170])
@pytest.mark.parametrize("lean", [-30, 0, 25])
def test_angles_of_a_drawn_figure(knee, lean):
    found = dict(zip(ANGLE_NAMES, body_angles(figure(knee, 75, lean)), strict=True))
    assert found["left knee"] == pytest.approx(knee, abs=0.01)
    assert found["right knee"] == pytest.approx(180, abs=0.01)
    assert found["right elbow"] == pytest.approx(75, abs=0.01)
    assert found["left elbow"] == pytest.approx(180, abs=0.01)
    assert found["trunk lean"] == pytest.approx(lean, abs=0.01)
    assert found["neck"] == pytest.approx(180, abs=0.01)


def test_an_angle_without_one_of_its_keypoints_is_not_known():
    keypoints = figure()
    keypoints[INDEX["left ankle"]] = (np.nan, np.nan, 0)
    found = dict(zip(ANGLE_NAMES, body_angles(keypoints), strict=True))
    assert np.isnan(found["left knee"]) and np.isfinite(found["left hip"])


def test_many_frames_at_once():
    frames = np.stack([figure(knee) for knee in range(60, 120, 10)])
    assert body_angles(frames).shape == (6, len(ANGLE_NAMES))
    assert body_angles(frames)[:, 1] == pytest.approx(np.arange(60, 120, 10), abs=0.01)
