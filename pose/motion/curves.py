"""What a curve over time says: its range, and how often a movement is repeated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SMALLEST_SHARE = 0.4
"""Of a curve's range: smaller ups and downs are not a repetition."""

SHORTEST_PERIOD = 0.3
"""Seconds."""

MOST_UNEVEN = 0.35
"""Standard deviation of the periods by their mean, above which a curve is not periodic."""


@dataclass(frozen=True)
class CurveSummary:
    """A curve in numbers; NaN where it has no value at all.

    Attributes:
        minimum, maximum, range: in the curve's unit.
        repetitions: how often it goes there and back; 0 where it is not periodic.
        period: mean seconds of a repetition; NaN with fewer than two.
    """

    minimum: float
    maximum: float
    range: float
    repetitions: int
    period: float


def summarize(times: np.ndarray, values: np.ndarray, smallest_range: float = 0.0) -> CurveSummary:
    """The curve's extremes and its repetitions.

    Args:
        times: (n,) seconds.
        values: (n,), NaN where not known.
        smallest_range: a curve that moves less is at rest.
    """
    known = np.isfinite(values)
    if not known.any():
        return CurveSummary(np.nan, np.nan, np.nan, 0, np.nan)
    low, high = float(values[known].min()), float(values[known].max())
    turns = turning_points(times[known], values[known], (high - low) * SMALLEST_SHARE)
    if high - low <= smallest_range or not is_periodic(turns):
        return CurveSummary(low, high, high - low, 0, np.nan)
    period = float(np.diff(turns).mean()) if len(turns) > 1 else np.nan
    return CurveSummary(low, high, high - low, len(turns), period)


def turning_points(times: np.ndarray, values: np.ndarray, prominence: float) -> np.ndarray:
    """Times of the maxima, or of the minima where there are more of them."""
    from scipy.signal import find_peaks

    if len(values) < 3 or prominence <= 0:
        return np.empty(0)
    interval = max(float(np.median(np.diff(times))), 1e-6)
    distance = max(1.0, SHORTEST_PERIOD / interval)
    maxima, minima = (
        find_peaks(sign * values, distance=distance, prominence=prominence)[0] for sign in (1, -1)
    )
    return times[max(maxima, minima, key=len)]


def is_periodic(turns: np.ndarray) -> bool:
    """Whether turning points are about evenly spaced; a single one may be once there and back."""
    if len(turns) < 3:
        return len(turns) > 0
    periods = np.diff(turns)
    return bool(periods.std() <= MOST_UNEVEN * periods.mean())
