"""One visitor's photo and what the networks found in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from page.editor.edits import same_people
from page.images import clean_name, for_screen
from page.models import Job, Models
from page.photo.ground_truth import AnnotatedPerson
from pose import DecodeSettings, Person, PoseResult, UserError
from pose.coco_annotations import LabelledPerson


@dataclass(frozen=True)
class Side:
    """Weights and their result: the name for people, and the drop-down's value."""

    weights: str
    result: PoseResult
    key: str = ""


@dataclass(frozen=True)
class Session:
    """A photo with the results of A and, where compared, B.

    Attributes:
        file_name: the photo's, as uploaded.
        preset: as run.
        shown: the photo at the size of the screen.
        a, b: the results, decoded with the same thresholds.
        ground_truth: the annotated people, None where they are not known.
        network_ran: whether the last step ran the network or only decoded.
        correction: the people of A as corrected by hand, who are in `a.result` then; None without.
        found: the people that the network found where a correction is shown.
        problem: why B could not be run; empty where it was, or was not asked for.
        edits: how many changes of the editor the people of A include.
        path: the photo's file, to show it again after one that cannot be read.
        runs: how often the network has run for this visitor.
    """

    file_name: str
    preset: str
    shown: np.ndarray
    a: Side
    b: Side | None = None
    ground_truth: tuple[AnnotatedPerson, ...] | None = None
    network_ran: bool = True
    correction: tuple[LabelledPerson, ...] | None = None
    found: tuple[Person, ...] = ()
    problem: str = ""
    edits: int = 0
    path: str = ""
    runs: int = 0

    @property
    def photo(self) -> np.ndarray:
        """RGB uint8 (H, W, 3) at its own size."""
        return self.a.result.image

    @property
    def settings(self) -> DecodeSettings:
        """The thresholds that the people were decoded with."""
        return self.a.result.settings

    @property
    def sides(self) -> tuple[Side, ...]:
        return (self.a, self.b) if self.b else (self.a,)

    @property
    def name(self) -> str:
        """The photo's name without its extension, safe in names of files."""
        return clean_name(self.file_name)

    def labelled_of(self, side: Side) -> tuple[LabelledPerson, ...]:
        """A side's people with labels of their keypoints, all visible where nobody corrected."""
        if side is self.a and self.correction is not None:
            return self.correction
        return tuple(map(LabelledPerson.of, side.result.people))

    @property
    def scale(self) -> float:
        """Pixels shown per pixel of the photo."""
        return self.shown.shape[1] / self.photo.shape[1]


def start_session(
    models: Models,
    photo: np.ndarray,
    file_name: str,
    weights: tuple[str, str],
    preset: str,
    settings: DecodeSettings,
    *,
    stages: bool = False,
    same_twice: bool = False,
) -> Session:
    """Runs A, and B unless it is empty or the same as A.

    Args:
        stages: keep the maps of every stage.
        same_twice: take A's result for B as well where they are the same weights.

    Raises:
        UserError: weights or preset cannot be used.
    """
    if not weights[0]:
        raise UserError("no weights were named: give a name of the list of weights")
    sides = [
        Side(
            models.card(name).name,
            models.estimate(Job(photo, name, preset, settings, stages)),
            name,
        )
        for name in dict.fromkeys(weights)
        if name
    ]
    b = sides[1] if len(sides) > 1 else sides[0] if same_twice else None
    known = models.ground_truth.of(file_name) if models.ground_truth else None
    shown = for_screen(sides[0].result.image)
    return Session(file_name, preset, shown, sides[0], b, known)


def with_second(models: Models, session: Session, weights: str) -> Session:
    """The session with B run as A was.

    Raises:
        UserError: the weights cannot be used.
    """
    job = Job(session.photo, weights, session.preset, session.settings, stages=True)
    result = models.estimate(job)
    return replace(session, b=Side(models.card(weights).name, result, weights), network_ran=True)


def decode_again(session: Session, settings: DecodeSettings) -> Session:
    """The same maps decoded with other thresholds; the network does not run.

    A correction stays.
    """
    a, b = session.a, session.b
    decoded = replace(
        session,
        a=replace(a, result=a.result.decode(settings)),
        b=replace(b, result=b.result.decode(settings)) if b else None,
        network_ran=False,
        correction=None,
    )
    return correct(decoded, session.correction) if session.correction is not None else decoded


def correct(session: Session, people: tuple[LabelledPerson, ...]) -> Session:
    """The session with other people as A's; with those that the network found, no correction."""
    found = session.a.result.people if session.correction is None else session.found
    unchanged = same_people(people, tuple(map(LabelledPerson.of, found)))
    shown = found if unchanged else tuple(labelled.person for labelled in people)
    return replace(
        session,
        a=replace(session.a, result=replace(session.a.result, people=shown)),
        correction=None if unchanged else people,
        found=() if unchanged else found,
        network_ran=False,
    )
