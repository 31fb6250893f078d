"""Markers over time as TRC, the file that OpenSim reads and Pose2Sim and Sports2D write."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pose.skeleton import KEYPOINTS

UNIT = "px"
DECIMALS = 3


def trc_text(name: str, times: Sequence[float], keypoints: np.ndarray, frame_height: int) -> str:
    """One person's keypoints as markers.

    Pixels of the video with the y axis upwards from its lower edge, as OpenSim has it, and z = 0.
    A missing keypoint is left empty.

    Args:
        name: of the file.
        times: (n,) seconds.
        keypoints: (n, 18, 3).
        frame_height: pixels.
    """
    count = len(times)
    rate = round((count - 1) / (times[-1] - times[0]), 3) if count > 1 else 1.0
    markers = [keypoint.name.replace(" ", "_") for keypoint in KEYPOINTS]
    head = [
        f"PathFileType\t4\t(X/Y/Z)\t{name}",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits"
        "\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate}\t{rate}\t{count}\t{len(markers)}\t{UNIT}\t{rate}\t1\t{count}",
        "Frame#\tTime\t" + "\t\t\t".join(markers) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{i}" for i in range(1, len(markers) + 1) for axis in "XYZ"),
    ]
    rows = []
    for number, (time, points) in enumerate(zip(times, keypoints, strict=True), 1):
        places = [cell for point in points for cell in cells(point, frame_height)]
        rows.append("\t".join([str(number), f"{time:.6f}", *places]))
    return "\n".join([*head, *rows]) + "\n"


def cells(point: np.ndarray, frame_height: int) -> tuple[str, str, str]:
    """x, y upwards and z of a keypoint (3,)."""
    x, y, score = (float(value) for value in point)
    if not (score > 0 and np.isfinite([x, y]).all()):
        return ("", "", "")
    return (f"{x:.{DECIMALS}f}", f"{frame_height - 1 - y:.{DECIMALS}f}", "0")
