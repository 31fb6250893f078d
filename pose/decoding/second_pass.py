"""A second pass at each person's own scale: which crops to run, and how people are merged.

The network finds keypoints best on people about as tall as those it was trained on. The first pass
finds people of every size; the second runs a crop around each of them at the right one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pose.oks import match_people, oks_to_each
from pose.person import Person
from pose.presets import Preset
from pose.skeleton import KEYPOINTS, LIMB_ENDS, LIMBS

BODY_SHARES = {
    ("neck", "hip"): 0.30,
    ("hip", "knee"): 0.245,
    ("knee", "ankle"): 0.246,
    ("neck", "shoulder"): 0.129,
    ("shoulder", "elbow"): 0.186,
    ("elbow", "wrist"): 0.146,
    ("neck", "nose"): 0.12,
    ("nose", "eye"): 0.045,
    ("eye", "ear"): 0.05,
}
"""Usual length of a limb as a share of the body height (after Drillis and Contini, 1966)."""

HEIGHT_QUANTILE = 0.8
"""Of the heights that the limbs suggest: foreshortening only makes limbs look shorter."""

SAME_HEIGHT = 1.25
"""People whose heights differ by less than this factor may share a crop."""

SMALLEST_HEIGHT = 8.0
"""Pixels; of smaller people a crop shows nothing more."""

MOST_CROPS = 12
"""Crops of a photo, those around the highest scores first: bounds the time that a crowd takes."""

SAME_PERSON = 0.3
"""OKS from which a person in a crop is one of the first pass."""

DUPLICATE = 0.7
"""OKS from which two people are one, found in two crops."""


def limb_shares() -> np.ndarray:
    """(19,), each limb's usual length as a share of the body height; NaN where it varies much."""
    plain = [keypoint.name.split()[-1] for keypoint in KEYPOINTS]  # without left and right
    return np.array(
        [BODY_SHARES.get((plain[limb.start], plain[limb.end]), np.nan) for limb in LIMBS]
    )


LIMB_SHARES = limb_shares()


@dataclass(frozen=True)
class Crop:
    """A part of the photo around people of one size.

    Attributes:
        left, top, right, bottom: pixels of the photo; right and bottom lie outside the crop.
        height: of the people's bodies, in pixels of the photo.
        run_at: body heights, in input pixels, at which the crop is to be run.
        average_first: whether the first pass saw these people at one of the heights, so that its
            maps are averaged with the crop's.
    """

    left: int
    top: int
    right: int
    bottom: int
    height: float
    run_at: tuple[int, ...] = ()
    average_first: bool = False

    @property
    def area(self) -> float:
        """Pixels of network input, up to a factor: the crop's area in squared body heights."""
        return (self.right - self.left) * (self.bottom - self.top) / self.height**2


@dataclass(frozen=True)
class Plan:
    """The crops to run, and a sentence for the user where some people got none."""

    crops: tuple[Crop, ...] = ()
    notes: tuple[str, ...] = ()


NO_CROPS = Plan()


def body_height(person: Person) -> float:
    """The height in pixels of a person who stood upright, from the limbs; 0 without a limb."""
    start, end = LIMB_ENDS.T
    points = person.keypoints[:, :2]
    known = person.found[start] & person.found[end] & np.isfinite(LIMB_SHARES)
    if not known.any():
        return 0.0
    lengths = np.hypot(*(points[end] - points[start])[known].T)
    return float(np.quantile(lengths / LIMB_SHARES[known], HEIGHT_QUANTILE))


def plan_crops(
    people: Sequence[Person],
    image_size: tuple[int, int],
    preset: Preset,
    first_scale: float = 0.0,
) -> Plan:
    """A crop around each person; people of one size who are close together share one.

    Args:
        people: found by the first pass.
        image_size: (height, width) of the photo.
        preset: with the heights, in input pixels, at which everybody should be seen.
        first_scale: input pixels by pixels of the photo in the first pass, 0 where it averaged
            several. Where it is right for people, the crop is not run at that height.
    """
    crops: list[Crop] = []
    for person in people:
        height = body_height(person)
        if height < SMALLEST_HEIGHT:
            continue
        crop = crop_around(person, height, preset.crop_margin, image_size)
        for at, other in enumerate(crops):
            if max(height / other.height, other.height / height) < SAME_HEIGHT:
                union = joined(crop, other)
                if union.area <= crop.area + other.area:
                    crops[at] = union
                    break
        else:
            crops.append(crop)
    crops = [run for crop in crops if (run := with_heights(crop, preset, first_scale)).run_at]
    notes: tuple[str, ...] = ()
    if len(crops) > MOST_CROPS:
        notes = (
            f"The photo is crowded: only the {MOST_CROPS} clearest of {len(crops)} groups of people"
            " were run again at their own size.",
        )
    return Plan(tuple(crops[:MOST_CROPS]), notes)


def with_heights(crop: Crop, preset: Preset, first_scale: float) -> Crop:
    """A crop with the heights at which it has to be run, and those that the first pass has."""
    seen = crop.height * first_scale
    heights, factor = preset.person_heights, preset.same_scale
    missing = tuple(h for h in heights if not h / factor < seen < h * factor)
    return replace(crop, run_at=missing, average_first=len(missing) < len(heights))


def crop_around(person: Person, height: float, share: float, image_size: tuple[int, int]) -> Crop:
    """A person's keypoints with a margin, cut to the photo."""
    x, y, width, depth = person.box
    margin = share * height
    return Crop(
        max(0, round(x - margin)),
        max(0, round(y - margin)),
        min(image_size[1], round(x + width + margin) + 1),
        min(image_size[0], round(y + depth + margin) + 1),
        height,
    )


def joined(first: Crop, second: Crop) -> Crop:
    """The smallest crop that holds both, at the mean of their sizes."""
    return Crop(
        min(first.left, second.left),
        min(first.top, second.top),
        max(first.right, second.right),
        max(first.bottom, second.bottom),
        (first.height * second.height) ** 0.5,
    )


def merge_people(
    first: Sequence[Person], crops: Sequence[Crop], found: Sequence[Sequence[Person]]
) -> tuple[Person, ...]:
    """The people of both passes, best score first.

    A person of the first pass is replaced by the most similar one in the crop of its size, which
    takes over the keypoints that only the first pass found. People whom the first pass missed are
    added.

    Args:
        first: the people of the first pass.
        crops: as planned; thresholds may have changed since.
        found: the people of each crop, in pixels of the photo.
    """
    merged = list(first)
    added: list[Person] = []
    chosen = [best_crop(person, crops) for person in first]
    for at, people in enumerate(found):
        members = [i for i, crop in enumerate(chosen) if crop == at]
        matches = match_people([first[i] for i in members], people, SAME_PERSON)
        for match in matches:
            member = members[match.first]
            merged[member] = completed(people[match.second], first[member])
        taken = {match.second for match in matches}
        added += [person for i, person in enumerate(people) if i not in taken]
    for person in sorted(added, key=lambda person: -person.score):
        if (oks_to_each(person, (*first, *merged)) < SAME_PERSON).all():
            merged.append(person)
    merged.sort(key=lambda person: -person.score)
    kept: list[Person] = []
    for person in merged:
        if (oks_to_each(person, kept) < DUPLICATE).all():
            kept.append(person)
    return tuple(kept)


def best_crop(person: Person, crops: Sequence[Crop]) -> int | None:
    """Index of the crop that shows a person at the best size; None if none does."""
    height = body_height(person)
    x, y, width, depth = person.box
    ratios = {
        i: max(height / crop.height, crop.height / height)
        for i, crop in enumerate(crops)
        if height > 0
        and crop.left <= x + width / 2 < crop.right
        and crop.top <= y + depth / 2 < crop.bottom
    }
    best = min(ratios, key=lambda i: ratios[i], default=None)
    return best if best is not None and ratios[best] < SAME_HEIGHT else None


def completed(person: Person, other: Person) -> Person:
    """A person with the keypoints that only the other has."""
    keypoints = person.keypoints.copy()
    missing = ~person.found & other.found
    keypoints[missing] = other.keypoints[missing]
    return Person(keypoints, person.score)
