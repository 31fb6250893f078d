"""People as rows of the page's tables."""

from __future__ import annotations

from collections.abc import Iterable

from page.labels import joint_name, say
from pose import Person
from pose.export import coordinate, is_found
from pose.skeleton import NUM_KEYPOINTS

MISSING = ("–",) * 3
COLUMNS = ("person", "joint", "x", "y", "score", "visible")


def people_rows(
    people: Iterable[Person], language: str = "en", only: int | None = None
) -> list[list[object]]:
    """18 rows a person: number from 1, keypoint, x, y, score, visible.

    Args:
        only: index of the one person to list; None, or one that nobody has, for all.
    """
    people = list(people)
    rows: list[list[object]] = []
    for number, person in enumerate(people, start=1):
        if only is not None and only < len(people) and number - 1 != only:
            continue
        found = is_found(person.keypoints)
        for k in range(NUM_KEYPOINTS):
            x, y, score = person.keypoints[k]
            seen = say("yes" if found[k] else "no", language)
            values = [coordinate(x), coordinate(y), round(float(score), 3)] if found[k] else MISSING
            rows.append([number, joint_name(k, language), *values, seen])
    return rows
