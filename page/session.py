"""What one visitor has on the table: a photo and what the networks said about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from page.models import Job, Models
from page.truth import TruePerson
from pose import DecodeSettings, Person, PoseResult, UserError
from pose.decode import decode_with_notes

DISPLAY_SIDE = 1600
"""Longer side in pixels of what the browser is sent; files have the photo's own size."""


@dataclass(frozen=True)
class Side:
    """One set of weights and its answer; `people` are decoded with the thresholds of now."""

    weights: str
    result: PoseResult
    people: tuple[Person, ...]
    decode_seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Session:
    """A photo with the answers of A and, where chosen, B.

    Attributes:
        photo: RGB uint8 (H, W, 3) at its own size.
        shown: the same, at most `DISPLAY_SIDE` pixels long.
        file_name: the photo's, as uploaded.
        preset: as run.
        settings: thresholds that the people were decoded with.
        a, b: the answers.
        truth: the annotated people, None where they are not known.
        network_ran: whether the last step ran the network or only decoded.
    """

    photo: np.ndarray
    shown: np.ndarray
    file_name: str
    preset: str
    settings: DecodeSettings
    a: Side
    b: Side | None
    truth: tuple[TruePerson, ...] | None = None
    network_ran: bool = True

    @property
    def sides(self) -> tuple[Side, ...]:
        return (self.a, self.b) if self.b else (self.a,)

    @property
    def name(self) -> str:
        """The photo's name without ending, fit for names of files."""
        return clean_name(self.file_name)

    @property
    def scale(self) -> float:
        """Pixels shown a pixel of the photo."""
        return self.shown.shape[1] / self.photo.shape[1]


def start_session(
    models: Models,
    photo: np.ndarray,
    file_name: str,
    weights: tuple[str, str],
    preset: str,
    settings: DecodeSettings,
    *,
    same_twice: bool = False,
) -> Session:
    """Runs A, and B unless it is empty or the same as A.

    Args:
        same_twice: take A's answer for B as well where they are the same weights.

    Raises:
        UserError: weights or preset cannot be used.
    """
    if not weights[0]:
        raise UserError("no weights were named: give a name of the list of weights")
    sides = [
        decoded(
            Side(models.card(chosen).name, models.look(Job(photo, chosen, preset)), (), 0.0),
            settings,
        )
        for chosen in dict.fromkeys(weights)
        if chosen
    ]
    b = sides[1] if len(sides) > 1 else sides[0] if same_twice else None
    truth = models.truth.of(file_name) if models.truth else None
    return Session(photo, reduced(photo), file_name, preset, settings, sides[0], b, truth)


def decode_again(session: Session, settings: DecodeSettings) -> Session:
    """The same maps decoded with other thresholds; the network does not run."""
    return replace(
        session,
        settings=settings,
        a=decoded(session.a, settings),
        b=decoded(session.b, settings) if session.b else None,
        network_ran=False,
    )


def decoded(side: Side, settings: DecodeSettings) -> Side:
    start = perf_counter()
    people, notes = decode_with_notes(side.result.maps, settings)
    seconds = perf_counter() - start
    return replace(side, people=people, notes=notes, decode_seconds=seconds)


def reduced(photo: np.ndarray, longest: int = DISPLAY_SIDE) -> np.ndarray:
    """The photo, made smaller if its longer side has more than `longest` pixels."""
    height, width = photo.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return photo
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def scaled(people: tuple[Person, ...], factor: float) -> tuple[Person, ...]:
    """People on a photo that was resized by `factor`; pixel centres stay pixel centres."""
    if factor == 1:
        return people
    changed = []
    for person in people:
        keypoints = person.keypoints.copy()
        keypoints[:, :2] = (keypoints[:, :2] + 0.5) * factor - 0.5
        changed.append(Person(keypoints, person.score))
    return tuple(changed)


def clean_name(name: str) -> str:
    """A file name's stem, without anything that could trouble a file system."""
    stem = Path(name).stem or "photo"
    kept = "".join(c if c.isalnum() or c in "-_. " else "_" for c in stem).strip(". ")
    return kept[:80] or "photo"
