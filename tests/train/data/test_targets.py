"""Targets against a plain loop over people, keypoints, limbs and cells."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pose.skeleton import BACKGROUND, HEATMAP_FLIP, LIMBS, PAF_FLIP
from train.data.targets import make_targets


def plain_targets(people, rows, columns, sigma=7.0, width=1.0):
    """People (P, 18, 3) → heatmaps (19, rows, columns), PAFs (38, rows, columns), by the book."""
    heatmaps = np.zeros((19, rows, columns))
    pafs, count = np.zeros((38, rows, columns)), np.zeros((19, rows, columns))
    for person in people:
        for part, (x, y, label) in enumerate(person):
            if not label > 0:
                continue
            for i in range(rows):
                for j in range(columns):
                    exponent = ((8 * j + 3.5 - x) ** 2 + (8 * i + 3.5 - y) ** 2) / (2 * sigma**2)
                    if exponent <= 4.6052:
                        heatmaps[part, i, j] = max(heatmaps[part, i, j], np.exp(-exponent))
        for k, limb in enumerate(LIMBS):
            a, b = person[limb.start], person[limb.end]
            if not (a[2] > 0 and b[2] > 0):
                continue
            start, end = ((p[:2] - 3.5) / 8 for p in (a, b))
            length = np.hypot(*(end - start))
            if length < 1e-6:
                continue
            unit = (end - start) / length
            for i in range(rows):
                for j in range(columns):
                    to_cell = np.array([j, i]) - start
                    nearest = np.clip(to_cell @ unit, 0, length)
                    if np.hypot(*(to_cell - nearest * unit)) <= width:
                        pafs[2 * k : 2 * k + 2, i, j] += unit
                        count[k, i, j] += 1
    heatmaps[BACKGROUND] = 1 - heatmaps[:18].max(0)
    return heatmaps, pafs / np.repeat(np.maximum(count, 1), 2, 0)


def random_people(rng, batch=2, people=3, size=(10, 12)):
    points = np.full((batch, people, 18, 3), np.nan, np.float32)
    points[..., 0] = rng.uniform(-20, 8 * size[1] + 20, points.shape[:3])
    points[..., 1] = rng.uniform(-20, 8 * size[0] + 20, points.shape[:3])
    points[..., 2] = rng.integers(0, 3, points.shape[:3])
    points[points[..., 2] == 0] = (np.nan, np.nan, 0)
    points[-1, -1] = np.nan  # padding
    return points


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(7.0, 1.0), (9.3, 0.6), (5.0, 1.7)]))
def test_equal_to_the_plain_reference(seed, widths):
    sigma, width = widths
    people = random_people(np.random.default_rng(seed))
    made = make_targets(torch.from_numpy(people), (10, 12), sigma, width)
    for i, image in enumerate(people):
        heatmaps, pafs = plain_targets(image, 10, 12, sigma, width)
        np.testing.assert_allclose(made.heatmaps[i], heatmaps, atol=1e-5)
        np.testing.assert_allclose(made.pafs[i], pafs, atol=1e-5)


def test_nobody():
    made = make_targets(torch.full((2, 1, 18, 3), torch.nan))
    assert made.pafs.shape == (2, 38, 46, 46) and made.heatmaps.shape == (2, 19, 46, 46)
    assert made.pafs.abs().max() == 0 and made.heatmaps[:, :18].abs().max() == 0
    assert (made.heatmaps[:, BACKGROUND] == 1).all()


def test_a_keypoint_at_a_cell_centre_is_a_full_peak():
    points = torch.full((1, 1, 18, 3), torch.nan)
    points[0, 0, 4] = torch.tensor([8 * 7 + 3.5, 8 * 5 + 3.5, 1])
    heatmaps = make_targets(points).heatmaps[0]
    assert heatmaps[4, 5, 7] == 1 and heatmaps[BACKGROUND, 5, 7] == 0
    assert heatmaps[4, 5, 6] == heatmaps[4, 5, 8] == pytest.approx(np.exp(-64 / 98))


def test_a_hidden_keypoint_counts_as_labelled():
    points = torch.full((1, 1, 18, 3), torch.nan)
    points[0, 0, 0] = torch.tensor([100.0, 100, 1])
    hidden = make_targets(points)
    points[0, 0, 0, 2] = 2
    assert torch.equal(hidden.heatmaps, make_targets(points).heatmaps)


def test_two_people_on_one_limb_are_averaged():
    points = torch.full((1, 2, 18, 3), torch.nan)
    points[0, 0, [2, 3]] = torch.tensor([[3.5, 83.5, 2], [163.5, 83.5, 2]])
    points[0, 1, [2, 3]] = torch.tensor([[83.5, 3.5, 2], [83.5, 163.5, 2]])
    pafs = make_targets(points).pafs[0, 14:16]
    assert pafs[:, 10, 10].tolist() == pytest.approx([0.5, 0.5])
    assert pafs[:, 10, 5].tolist() == pytest.approx([1, 0])


def test_mirrored_people_give_mirrored_maps():
    people = random_people(np.random.default_rng(5), size=(46, 46))
    mirrored = people[:, :, HEATMAP_FLIP[:18]].copy()
    mirrored[..., 0] = 367 - mirrored[..., 0]
    made = make_targets(torch.from_numpy(people))
    other = make_targets(torch.from_numpy(mirrored))
    pafs = made.pafs.flip(-1)[:, PAF_FLIP].clone()
    pafs[:, ::2] *= -1
    torch.testing.assert_close(other.heatmaps, made.heatmaps.flip(-1)[:, HEATMAP_FLIP])
    torch.testing.assert_close(other.pafs, pafs)
