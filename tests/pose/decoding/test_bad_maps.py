"""Maps that no good network makes: bounded work, and a sentence where something was left out."""

from __future__ import annotations

import subprocess
import sys
from time import monotonic

import numpy as np
import pytest
from drawn_maps import decode_with_notes
from places import ROOT

from pose import FieldMaps
from pose.decoding.decode import LARGEST
from pose.decoding.limb_scores import MAX_PAIRS, Connections, LimbRules, likely_pairs, score_limbs
from pose.decoding.peaks import MAX_COARSE, MAX_PEAKS, Peaks, best_of_each, find_peaks
from pose.geometry import Grid

SHAPES = ((46, 46), (100, 150))
PATIENCE = 30.0
"""Seconds that are far more than any maps need, on a machine that is busy with other things."""


def maps_of(heatmaps: np.ndarray, pafs: np.ndarray) -> FieldMaps:
    height, width = heatmaps.shape[1:]
    return FieldMaps(heatmaps, pafs, Grid(8.0, 8.0, (8 * height, 8 * width)))


def full(shape: tuple[int, int], heat: float, paf: float) -> FieldMaps:
    return maps_of(np.full((19, *shape), heat, np.float32), np.full((38, *shape), paf, np.float32))


def noise(shape: tuple[int, int]) -> FieldMaps:
    rng = np.random.default_rng(0)
    pafs = rng.uniform(-1, 1, (38, *shape)).astype(np.float32)
    return maps_of(rng.random((19, *shape), np.float32), pafs)


def checkerboard(shape: tuple[int, int]) -> FieldMaps:
    rows, columns = np.indices(shape)
    return patterned((rows + columns) % 2, 1.0)


def dots(shape: tuple[int, int]) -> FieldMaps:
    """A false peak in every ninth cell, with PAFs that join all of them."""
    rows, columns = np.indices(shape)
    return patterned((rows % 3 == 0) & (columns % 3 == 0), 0.7)


def patterned(plane: np.ndarray, paf: float) -> FieldMaps:
    heatmaps = np.repeat(plane[None].astype(np.float32), 19, 0)
    return maps_of(heatmaps, np.full((38, *plane.shape), paf, np.float32))


def noise_that_joins(shape: tuple[int, int]) -> FieldMaps:
    return maps_of(noise(shape).heatmaps, np.ones((38, *shape), np.float32))


MAPS = {
    "zeros": lambda shape: full(shape, 0, 0),
    "ones": lambda shape: full(shape, 1, 1),
    "nan": lambda shape: full(shape, np.nan, np.nan),
    "infinite": lambda shape: full(shape, np.inf, -np.inf),
    "huge": lambda shape: full(shape, 3e38, -3e38),
    "tiny": lambda shape: full(shape, 1e-45, 1e-45),
    "noise": noise,
    "checkerboard": checkerboard,
    "dots": dots,
    "noise that joins": noise_that_joins,
}


@pytest.mark.parametrize("name", MAPS)
def test_bad_maps_take_bounded_time_and_keep_the_contract(name):
    for shape in SHAPES:
        start = monotonic()
        people, notes = decode_with_notes(MAPS[name](shape))
        assert monotonic() - start < PATIENCE
        for person in people:
            assert np.isfinite(person.score)
            found = person.found
            assert np.isfinite(person.keypoints[found]).all()
            assert np.isnan(person.keypoints[~found, :2]).all()
        if name in ("zeros", "nan", "infinite", "tiny"):
            assert people == ()
        assert any("NaN or infinite" in n for n in notes) == (name in ("nan", "infinite"))
        assert any(f"beyond {LARGEST:g}" in n for n in notes) == (name == "huge")
        if name in ("ones", "noise that joins"):
            assert any(n.startswith("Only the ") and "Raise the peak" in n for n in notes)
        assert all(n.isprintable() for n in notes)


def test_every_cap_tells_the_user_what_it_cut():
    people, notes = decode_with_notes(noise_that_joins((60, 60)))
    assert people
    peaks, pairs = notes
    assert str(MAX_PEAKS) in peaks and "nose" in peaks and "left ear" in peaks
    assert str(MAX_PAIRS) in pairs and "neck – nose" in pairs
    assert decode_with_notes(full((46, 46), 0, 0))[1] == ()


def test_the_strongest_candidates_are_kept():
    heatmaps = np.zeros((19, 90, 90), np.float32)
    rng = np.random.default_rng(2)
    values = rng.permutation(np.linspace(0.2, 0.9, 30 * 30)).astype(np.float32)
    heatmaps[4, 1::3, 1::3] = values.reshape(30, 30)
    peaks = find_peaks(heatmaps, 0.1)
    assert peaks.cut == (4,) and len(peaks.channels) == MAX_PEAKS
    strongest = np.sort(values)[::-1][:MAX_PEAKS]
    assert np.abs(np.sort(peaks.scores)[::-1] - strongest).max() < 0.02


def test_a_plateau_is_cut_before_it_is_refined():
    heatmaps = np.zeros((19, 60, 60), np.float32)
    heatmaps[2, :33, :33] = 0.5  # more than MAX_COARSE equal cells
    heatmaps[2, 50, 50] = 0.9
    assert MAX_COARSE < 33 * 33
    peaks = find_peaks(heatmaps, 0.1)
    assert peaks.cut == (2,)
    assert peaks.scores[0] > 0.89 and np.abs(peaks.positions[0] - 50).max() < 0.1


def test_best_of_each():
    groups = np.array([0, 0, 0, 2, 2, 5])
    values = np.array([1, 3, 3, 7, 7, 0], float)
    kept = best_of_each(groups, values, 1)
    assert kept.tolist() == [False, True, False, True, False, True]
    assert best_of_each(groups, values, 3).all()
    assert best_of_each(groups[:0], values[:0], 3).tolist() == []


def test_pairs_are_cut_to_those_of_the_strongest_candidates(monkeypatch):
    maps = dots((70, 70))
    heatmaps = maps.heatmaps * np.random.default_rng(0).uniform(0.3, 1, (19, 70, 70))
    peaks = find_peaks(heatmaps.astype(np.float32), 0.02)
    pairs = likely_pairs(maps.pafs, peaks, 0.05)
    limb = pairs.cut[0]
    kept = strengths(pairs, peaks, limb)
    assert len(kept) == MAX_PAIRS
    scored = score_limbs(maps.pafs, peaks, LimbRules(0.05, 0.02, 10, 6, 70))
    assert scored.cut == pairs.cut
    monkeypatch.setattr("pose.decoding.limb_scores.MAX_PAIRS", 10**9)
    every = likely_pairs(maps.pafs, peaks, 0.05)
    assert every.cut == ()
    strongest = np.sort(strengths(every, peaks, limb))[::-1][:MAX_PAIRS]
    np.testing.assert_array_equal(np.sort(kept)[::-1], strongest)


def strengths(pairs: Connections, peaks: Peaks, limb: int) -> np.ndarray:
    """Products of the candidates' scores of a limb's pairs."""
    of_limb = pairs.limbs == limb
    return peaks.scores[pairs.start[of_limb]] * peaks.scores[pairs.end[of_limb]]


WORST = """
import resource, sys
sys.path[:0] = ["tests/helpers", "tests/pose/decoding"]
from test_bad_maps import MAPS
from drawn_maps import decode_with_notes
from pose import DecodeSettings
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
made = [MAPS[name]((161, 161)) for name in ("noise that joins",)]
decode_with_notes(MAPS["zeros"]((46, 46)))
before = peak()
for maps in made:
    decode_with_notes(maps, DecodeSettings(peak_threshold=0.0, limb_samples=20))
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kB on Linux")
def test_memory_is_bounded_on_the_largest_maps():
    """161 x 161 cells are the finest view of the preset accurate at an aspect ratio of 4."""
    done = subprocess.run(
        [sys.executable, "-c", WORST],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 400
