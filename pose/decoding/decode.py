"""From field maps to people: find candidates, score limbs, assemble."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from pose.decoding.assembly import Group, assemble, best_connections
from pose.decoding.field_maps import FieldMaps
from pose.decoding.limb_scores import MAX_PAIRS, Connections, LimbRules, score_limbs
from pose.decoding.peaks import MAX_PEAKS, Peaks, find_peaks
from pose.errors import UserError
from pose.geometry import Grid
from pose.person import Person
from pose.skeleton import KEYPOINTS, LIMBS, NUM_HEATMAPS, NUM_KEYPOINTS, NUM_PAFS

LARGEST = 1000.0
"""Largest size of a value in the maps, which are about -1 to 1: beyond it arithmetic overflows."""

WEAK = 0.4
"""Share of the peak threshold down to which a candidate tied to a clear one is taken."""


@dataclass(frozen=True)
class DecodeSettings:
    """The decoder's thresholds, chosen by measurement (docs/accuracy.md).

    Attributes:
        peak_threshold: smallest heatmap value of a keypoint candidate, 0 to 1. Weaker ones, down
            to `WEAK` times it, are only taken when a limb ties them to one above it.
        limb_threshold: smallest PAF component along a limb at a sample, 0 to 1.
        limb_samples: points at which the PAF is read along a candidate limb.
        samples_needed: how many of them must exceed `limb_threshold`.
        min_parts: smallest number of keypoints of a person.
        min_score: smallest mean score of a person's keypoints and limbs.
    """

    peak_threshold: float = 0.05
    limb_threshold: float = 0.02
    limb_samples: int = 10
    samples_needed: int = 6
    min_parts: int = 4
    min_score: float = 0.2

    def __post_init__(self) -> None:
        for name in ("peak_threshold", "limb_threshold", "min_score"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise UserError(f"{name} is between 0 and 1, not {value}")
        if not 2 <= self.limb_samples <= 100:
            raise UserError(f"limb_samples is between 2 and 100, not {self.limb_samples}")
        if not 1 <= self.samples_needed <= self.limb_samples:
            raise UserError(
                f"samples_needed is between 1 and {self.limb_samples}, not {self.samples_needed}"
            )
        if not 1 <= self.min_parts <= NUM_KEYPOINTS:
            raise UserError(f"min_parts is between 1 and {NUM_KEYPOINTS}, not {self.min_parts}")

    def changed(self, **changes: float) -> DecodeSettings:
        """A copy with some settings changed; those given as None stay.

        Raises:
            UserError: no such setting, or a value out of range.
        """
        known = [field.name for field in fields(self)]
        for name in changes:
            if name not in known:
                raise UserError(f"no decoder setting is called {name!r}: {', '.join(known)}")
        given: dict[str, Any] = {k: v for k, v in changes.items() if v is not None}
        return replace(self, **given)


@dataclass(frozen=True)
class Candidates:
    """What people are assembled from.

    Attributes:
        peaks: keypoint candidates.
        connections: candidate limbs between them.
        notes: sentences for the user when the maps were unusable or a limit was reached.
    """

    peaks: Peaks
    connections: Connections
    notes: tuple[str, ...] = ()


def decode(maps: FieldMaps, settings: DecodeSettings | None = None) -> tuple[Person, ...]:
    """The people in the maps, best score first.

    Maps full of noise take bounded time and memory: see `pose.decoding.peaks.MAX_PEAKS` and
    `pose.decoding.limb_scores.MAX_PAIRS`. NaN and infinite values are taken as 0.

    Args:
        maps: heatmaps (19, h, w) and PAFs (38, h, w).
        settings: thresholds, by default `DecodeSettings()`.

    Raises:
        ValueError: the maps have the wrong shape.
    """
    settings = settings or DecodeSettings()
    return assemble_people(find_candidates(maps, settings), maps.grid, settings)


def find_candidates(maps: FieldMaps, settings: DecodeSettings) -> Candidates:
    """Keypoint candidates and the limbs between them.

    Raises:
        ValueError: the maps have the wrong shape.
    """
    check_shapes(maps)
    heatmaps, pafs, repairs = repair_values(maps)
    peaks = find_peaks(heatmaps, WEAK * settings.peak_threshold)
    connections = score_limbs(pafs, peaks, limb_rules(settings, maps.grid))
    return Candidates(peaks, connections, (*repairs, *limit_notes(peaks, connections)))


def limit_notes(peaks: Peaks, connections: Connections) -> tuple[str, ...]:
    """Sentences for the user where candidates were left out."""
    notes = []
    if peaks.cut:
        names = ", ".join(KEYPOINTS[channel].name for channel in peaks.cut)
        notes.append(
            f"Only the {MAX_PEAKS} strongest candidates were kept for: {names}."
            " Raise the peak threshold."
        )
    if connections.cut:
        names = ", ".join(LIMBS[limb].name for limb in connections.cut)
        notes.append(
            f"Only the {MAX_PAIRS} strongest candidate pairs were scored for: {names}."
            " Raise the peak threshold."
        )
    return tuple(notes)


def limb_rules(settings: DecodeSettings, grid: Grid) -> LimbRules:
    """The rules for limbs on a photo's grid."""
    return LimbRules(
        settings.peak_threshold,
        settings.limb_threshold,
        settings.limb_samples,
        settings.samples_needed,
        reference_length=grid.used_cells[0],
    )


def assemble_people(
    candidates: Candidates, grid: Grid, settings: DecodeSettings
) -> tuple[Person, ...]:
    """The people that the candidates make up, best score first."""
    peaks = candidates.peaks
    groups = assemble(peaks, best_connections(candidates.connections))
    people = [
        to_person(group, peaks, grid)
        for group in groups
        if len(group.members) >= settings.min_parts
        and mean_score(group, peaks) >= settings.min_score
    ]
    people.sort(key=lambda person: -person.score)
    return tuple(people)


def check_shapes(maps: FieldMaps) -> None:
    """Refuses maps that are not (19, h, w) and (38, h, w)."""
    h, p = maps.heatmaps.shape, maps.pafs.shape
    if len(h) != 3 or len(p) != 3 or h[0] != NUM_HEATMAPS or p[0] != NUM_PAFS or h[1:] != p[1:]:
        raise ValueError(f"maps are (19, h, w) and (38, h, w), not {h} and {p}")


def repair_values(maps: FieldMaps) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """The maps as float32 without NaN, infinite or huge values, and sentences on what changed."""
    with np.errstate(over="ignore"):  # float64 beyond float32's range becomes infinite
        heatmaps, pafs = (np.asarray(m, np.float32) for m in (maps.heatmaps, maps.pafs))
    # NaN compares as false, so this one check finds every kind of bad value.
    if all(not m.size or (m.min() >= -LARGEST and m.max() <= LARGEST) for m in (heatmaps, pafs)):
        return heatmaps, pafs, ()
    notes = []
    if not (np.isfinite(heatmaps).all() and np.isfinite(pafs).all()):
        notes.append("The maps hold NaN or infinite values, which were taken as 0.")
    heatmaps, pafs = (np.nan_to_num(m, nan=0.0, posinf=0.0, neginf=0.0) for m in (heatmaps, pafs))
    if max(np.abs(heatmaps).max(), np.abs(pafs).max()) > LARGEST:
        notes.append(f"The maps hold values beyond {LARGEST:g}, which were taken as {LARGEST:g}.")
    return heatmaps.clip(-LARGEST, LARGEST), pafs.clip(-LARGEST, LARGEST), tuple(notes)


def mean_score(group: Group, peaks: Peaks) -> float:
    """Mean over a person's keypoints of their heatmap values and limb scores, as CMU's decoder."""
    total = float(peaks.scores[list(group.members)].sum()) + group.limb_score
    return total / len(group.members)


def rank_score(group: Group, peaks: Peaks, box: tuple[float, float, float, float]) -> float:
    """What people are ranked by: mean score * sqrt(keypoints) * (box area in pixels) ** 0.1.

    Chosen by COCO AP (docs/accuracy.md): more keypoints make a person more certain, and keypoints
    of larger people are more accurate relative to their size.
    """
    area = max(box[2] * box[3], 1.0)
    return mean_score(group, peaks) * len(group.members) ** 0.5 * area**0.1


def to_person(group: Group, peaks: Peaks, grid: Grid) -> Person:
    """A group with its keypoints in the photo's pixels."""
    keypoints = np.full((NUM_KEYPOINTS, 3), np.nan, np.float32)
    keypoints[:, 2] = 0
    members = list(group.members)
    channels = peaks.channels[members]
    # The last cells reach beyond a photo whose size is no multiple of the stride.
    first = np.array((grid.left, grid.top))
    last = first + grid.image_size[::-1] - 1
    keypoints[channels, :2] = np.clip(grid.to_image(peaks.positions[members]), first, last)
    keypoints[channels, 2] = np.clip(peaks.scores[members], 0, 1)
    unranked = Person(keypoints, 0.0)
    return replace(unranked, score=rank_score(group, peaks, unranked.box))
