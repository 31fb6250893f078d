"""Repetitions and extremes of curves."""

import numpy as np
import pytest

from pose.motion.curves import summarize

TIMES = np.arange(0, 10, 1 / 30)


def test_repetitions_of_squats():
    knee = 135 + 45 * np.cos(2 * np.pi * TIMES / 2)  # from standing, down and up in 2 s
    noise = np.random.default_rng(0).normal(0, 1, len(TIMES))
    summary = summarize(TIMES, knee + noise)
    assert summary.repetitions == 5 and summary.period == pytest.approx(2, abs=0.1)
    assert summary.minimum == pytest.approx(90, abs=4) and summary.range == pytest.approx(90, abs=8)


def test_gaps_in_a_curve_do_not_matter():
    knee = 135 + 45 * np.cos(2 * np.pi * TIMES / 2)
    knee[40:46] = np.nan
    assert summarize(TIMES, knee).repetitions == 5


@pytest.mark.parametrize(
    "curve",
    [
        np.full(len(TIMES), 90.0),
        90 + 20 * TIMES,
        90 + 2 * np.cos(2 * np.pi * TIMES),  # at rest, but for noise
    ],
)
def test_what_is_not_repeated(curve):
    assert summarize(TIMES, curve, smallest_range=10).repetitions == 0


def test_uneven_turns_are_no_repetition():
    curve = np.zeros(len(TIMES))
    curve[[10, 24, 40, 150, 280]] = 90
    assert summarize(TIMES, curve).repetitions == 0


def test_nothing_is_known():
    summary = summarize(TIMES, np.full(len(TIMES), np.nan))
    assert np.isnan(summary.maximum) and summary.repetitions == 0
