"""Numbers that stay with people through a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from page.matching import match_people
from pose import Person

SMALLEST_OKS = 0.2
"""Below this likeness two people are not the same; a fast walker's joints move far in a frame."""

LONGEST_GAP = 8
"""Frames for which a lost person's number is kept."""


@dataclass
class Track:
    """Someone seen before: where last, and how many frames ago."""

    number: int
    last: Person
    gap: int = 0


class Tracker:
    """Gives each frame's people numbers, greedily by OKS with where they were last seen."""

    def __init__(self, smallest: float = SMALLEST_OKS, longest_gap: int = LONGEST_GAP) -> None:
        self.smallest = smallest
        self.longest_gap = longest_gap
        self._tracks: list[Track] = []
        self._given = 0

    @property
    def count(self) -> int:
        """How many numbers were given so far."""
        return self._given

    def numbers(self, people: Sequence[Person]) -> list[int]:
        """Numbers from 1, one for each person of the next frame."""
        matches = match_people([track.last for track in self._tracks], people, self.smallest)
        answer: dict[int, int] = {}
        for track in self._tracks:
            track.gap += 1
        for match in matches:
            track = self._tracks[match.first]
            track.last, track.gap = people[match.second], 0
            answer[match.second] = track.number
        for i, person in enumerate(people):
            if i not in answer:
                self._given += 1
                answer[i] = self._given
                self._tracks.append(Track(self._given, person))
        self._tracks = [track for track in self._tracks if track.gap <= self.longest_gap]
        return [answer[i] for i in range(len(people))]
