"""People as rows of the keypoint table."""

from __future__ import annotations

from collections.abc import Iterable

from page.i18n.labels import keypoint_name, say
from pose.coco_annotations import HIDDEN, MISSING, VISIBLE, LabelledPerson
from pose.export import coordinate
from pose.skeleton import NUM_KEYPOINTS

NO_VALUES = ("–",) * 3
COLUMNS = ("person", "keypoint", "x", "y", "score", "visible")


def people_rows(
    people: Iterable[LabelledPerson], language: str = "en", only: int | None = None
) -> list[list[object]]:
    """18 rows a person: number from 1, keypoint, x, y, score, and yes, no or hidden.

    Args:
        only: index of the one person to list; None, or an index out of range, lists all.
    """
    people = list(people)
    rows: list[list[object]] = []
    for number, labelled in enumerate(people, start=1):
        if only is not None and only < len(people) and number - 1 != only:
            continue
        person, labels = labelled.person, labelled.labels
        for k in range(NUM_KEYPOINTS):
            x, y, score = person.keypoints[k]
            seen = {MISSING: "no", HIDDEN: "edit_hidden", VISIBLE: "yes"}[int(labels[k])]
            known = [coordinate(x), coordinate(y), round(float(score), 3)]
            values = known if labels[k] else NO_VALUES
            rows.append([number, keypoint_name(k, language), *values, say(seen, language)])
    return rows
