"""The video tab's pure part: who is in a clip, and curves of a person."""

import re
import warnings
import zipfile

import numpy as np
import pytest
from drawn_people import person_at

from page.tabs.video.clip import Clip, write_tables
from page.tabs.video.curves import curve, curves_html, first_measures, measures
from pose.motion.follow import FollowedFrame

TIMES = [i / 25 for i in range(50)]


@pytest.fixture
def clip():
    """One person for two seconds, whose knee bends twice, and one for the first frames."""
    frames = []
    for i, time in enumerate(TIMES):
        person = person_at(3 * i)
        swing = np.radians(60 + 40 * np.cos(2 * np.pi * time))
        person.keypoints[10, :2] = person.keypoints[9, :2] + 50 * np.array([0, 1])
        knee, hip = person.keypoints[9, :2], person.keypoints[8, :2]
        up = (hip - knee) / np.linalg.norm(hip - knee)
        turn = np.array([[np.cos(swing), -np.sin(swing)], [np.sin(swing), np.cos(swing)]])
        person.keypoints[10, :2] = knee + 50 * turn @ up
        others = (person_at(600),) if i < 20 else ()
        people = (person, *others)
        none = np.zeros(18, bool)
        frames.append(FollowedFrame(time, people, tuple(range(1, 1 + len(people))), (none, none)))
    return Clip((480, 640), tuple(frames), 2.0)


def test_people_and_their_keypoints(clip):
    assert clip.ids == [1, 2]
    assert clip.keypoints(2).shape == (50, 18, 3)
    assert np.isfinite(clip.keypoints(2)[:20]).all() and np.isnan(clip.keypoints(2)[20:]).all()


def test_a_curve_is_the_angle_or_the_place(clip):
    keypoints = clip.keypoints(1)
    knee = curve(keypoints, "right knee")
    assert knee.min() == pytest.approx(20, abs=0.5) and knee.max() == pytest.approx(100, abs=0.5)
    assert curve(keypoints, "x0") == pytest.approx(keypoints[:, 0, 0])
    assert first_measures(keypoints)[0] == "right knee"


def test_first_measures_without_warnings_where_angles_are_not_known(clip):
    keypoints = clip.keypoints(2)  # not there in most frames
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert first_measures(keypoints) == ["right knee"]
        keypoints = clip.keypoints(1)
        keypoints[:, 6] = (np.nan, np.nan, 0)  # the left elbow
        found = first_measures(keypoints)
    assert found[0] == "right knee" and "left elbow" not in found


def test_a_table_with_extremes_and_repetitions(clip):
    html = curves_html(clip, 1, ["right knee", "y0"])
    rows = re.findall(r"<tr><th>.*?</tr>", html)[1:]
    cells = [re.findall(r"<td>(.*?)</td>", row) for row in rows]
    assert cells[0][:3] == ["20°", "100°", "80°"] and cells[0][3] == "2"
    assert "right knee" in rows[0] and cells[1][2] == "0 px"
    assert 'data-end="2.000"' in html


def test_every_curve_has_a_name_in_both_languages():
    english, korean = measures("en"), measures("ko")
    assert [key for _, key in english] == [key for _, key in korean]
    assert len({name for name, _ in english}) == len(english)
    assert all(re.search("[가-힣]", name) for name, _ in korean)


def test_the_files(clip, tmp_path):
    files = {path.name: path for path in write_tables(clip, tmp_path, "walk")}
    rows = files["walk_angles.csv"].read_text().splitlines()
    assert rows[0].startswith("image,frame,time,person,right knee,") and len(rows) == 1 + 70
    with zipfile.ZipFile(files["walk_openpose_trc.zip"]) as archive:
        names = archive.namelist()
        assert "walk_json/walk_000000000049_keypoints.json" in names
        assert archive.read("walk_person1.trc").decode().startswith("PathFileType\t4")
