"""A plain decoder to compare with, for results and for speed: slow, obvious and independent.

Maps are upsampled 8x and smoothed with a Gaussian (sigma 3 px), peaks are pixels above their four
neighbours, and limbs are scored by Python loops over candidate pairs, by the published rules
(arXiv 1611.08050 and the widely used Python decoder).
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from pose.decoding.field_maps import FieldMaps
from pose.person import Person
from pose.skeleton import ASSEMBLY_ORDER, LIMBS, NUM_KEYPOINTS

PEAK, SAMPLE, SAMPLES, SHARE, MIN_KEYPOINTS, MIN_SCORE = 0.1, 0.05, 10, 0.8, 4, 0.2


def plain_decode(maps: FieldMaps) -> list[Person]:
    """People in pixels of the photo."""
    rows, columns = maps.grid.used_cells
    height, width = maps.heatmaps.shape[1] * 8, maps.heatmaps.shape[2] * 8
    up = lambda plane: cv2.resize(plane, (width, height), interpolation=cv2.INTER_CUBIC)  # noqa: E731
    heat = [up(plane)[: rows * 8, : columns * 8] for plane in maps.heatmaps]
    pafs = [up(plane)[: rows * 8, : columns * 8] for plane in maps.pafs]
    input_height = rows * 8

    peaks: list[list[tuple[int, int, float, int]]] = []  # per keypoint: x, y, score, id
    everything: list[tuple[int, int, float, int]] = []
    for keypoint in range(NUM_KEYPOINTS):
        smooth = gaussian_filter(heat[keypoint], sigma=3)
        left, right, above, below = (np.zeros_like(smooth) for _ in range(4))
        left[:, 1:], right[:, :-1] = smooth[:, :-1], smooth[:, 1:]
        above[1:], below[:-1] = smooth[:-1], smooth[1:]
        is_peak = ((smooth >= left) & (smooth >= right) & (smooth >= above) & (smooth >= below)) & (
            smooth > PEAK
        )
        found = []
        for y, x in zip(*np.nonzero(is_peak), strict=True):
            entry = (int(x), int(y), float(heat[keypoint][y, x]), len(everything))
            found.append(entry)
            everything.append(entry)
        peaks.append(found)

    people: list[np.ndarray] = []  # 18 peak ids (-1 missing), score, number of keypoints
    for order, limb_index in enumerate(ASSEMBLY_ORDER):
        limb = LIMBS[limb_index]
        candidates = []
        for i, a in enumerate(peaks[limb.start]):
            for j, b in enumerate(peaks[limb.end]):
                vector = np.array([b[0] - a[0], b[1] - a[1]], float)
                length = np.linalg.norm(vector)
                if length == 0:
                    continue
                vector /= length
                scores = []
                for step in range(SAMPLES):
                    x = round(a[0] + (b[0] - a[0]) * step / (SAMPLES - 1))
                    y = round(a[1] + (b[1] - a[1]) * step / (SAMPLES - 1))
                    scores.append(
                        pafs[2 * limb_index][y, x] * vector[0]
                        + pafs[2 * limb_index + 1][y, x] * vector[1]
                    )
                score = np.mean(scores) + min(0.5 * input_height / length - 1, 0)
                if sum(s > SAMPLE for s in scores) > SHARE * SAMPLES and score > 0:
                    candidates.append((score, i, j))
        taken_a, taken_b, connections = set(), set(), []
        for score, i, j in sorted(candidates, reverse=True):
            if i not in taken_a and j not in taken_b:
                taken_a.add(i)
                taken_b.add(j)
                connections.append((peaks[limb.start][i], peaks[limb.end][j], score))
        for a, b, score in connections:
            holders = [p for p in people if p[limb.start] == a[3] or p[limb.end] == b[3]]
            if len(holders) == 1:
                person = holders[0]
                if person[limb.end] != b[3] and (order < 17 or person[limb.end] < 0):
                    if person[limb.end] < 0:
                        person[19] += 1
                    person[limb.end] = b[3]
                    person[18] += b[2] + score
            elif len(holders) >= 2:
                first, second = holders[:2]
                both = (first[:18] >= 0) & (second[:18] >= 0)
                if not both.any():
                    first[:18] += second[:18] + 1
                    first[18:] += second[18:]
                    first[18] += score
                    people = [p for p in people if p is not second]
                elif first[limb.end] != b[3]:
                    first[limb.end] = b[3]
                    first[19] += 1
                    first[18] += b[2] + score
            elif order < 17:
                person = -np.ones(20)
                person[limb.start], person[limb.end] = a[3], b[3]
                person[18], person[19] = a[2] + b[2] + score, 2
                people.append(person)

    results = []
    for person in people:
        if person[19] < MIN_KEYPOINTS or person[18] / person[19] < MIN_SCORE:
            continue
        keypoints = np.full((NUM_KEYPOINTS, 3), np.nan, np.float32)
        keypoints[:, 2] = 0
        for keypoint in range(NUM_KEYPOINTS):
            if person[keypoint] >= 0:
                x, y, score, _ = everything[int(person[keypoint])]
                cell = (np.array([x, y]) + 0.5) / 8 - 0.5
                keypoints[keypoint, :2] = maps.grid.to_image(cell)
                keypoints[keypoint, 2] = score
        results.append(Person(keypoints, float(person[18])))
    return results
