"""TRC files, read as OpenSim does: five lines of heading, then tab-separated numbers."""

import numpy as np
from drawn_people import person_at

from pose.motion.trc import trc_text


def test_markers_over_time():
    keypoints = np.stack([person_at(10 * i).keypoints for i in range(4)])
    keypoints[2, 5] = (np.nan, np.nan, 0)
    lines = trc_text("a.trc", [0, 0.04, 0.08, 0.12], keypoints, 480).splitlines()
    assert lines[0] == "PathFileType\t4\t(X/Y/Z)\ta.trc"
    heading = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    assert heading["NumFrames"] == "4" and heading["NumMarkers"] == "18"
    assert float(heading["DataRate"]) == 25
    markers = lines[3].split("\t")
    assert markers[:2] == ["Frame#", "Time"] and markers[2] == "nose" and len(markers) == 56
    assert lines[4].split("\t")[2:5] == ["X1", "Y1", "Z1"]
    rows = [line.split("\t") for line in lines[5:]]
    assert [row[0] for row in rows] == ["1", "2", "3", "4"] and {len(row) for row in rows} == {56}
    x, y = keypoints[1, 0, :2]
    assert float(rows[1][2]) == round(float(x), 3)
    assert float(rows[1][3]) == 479 - round(float(y), 3)  # upwards
    assert rows[2][2 + 15 : 2 + 18] == ["", "", ""]
