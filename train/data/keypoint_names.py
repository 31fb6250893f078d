"""Keypoints by name: where a category's list has COCO's 17, however they are spelled."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pose.errors import UserError, display
from pose.skeleton import COCO_TO_KEYPOINT, KEYPOINTS
from train.data.annotations import Findings

NAMES = tuple(KEYPOINTS[i].name for i in COCO_TO_KEYPOINT)
"""COCO's 17 in COCO's order."""

SIDES = {"l": "left", "r": "right"}
SAYS_NOTHING = frozenset(
    {"keypoint", "keypoints", "kp", "kpt", "kpts", "point", "points", "pt", "p", "k"}
    | {"joint", "landmark", "node", "label", "sublabel"}
)


@dataclass(frozen=True)
class KeypointOrder:
    """How an annotation's numbers are laid out.

    Attributes:
        count: keypoints an annotation has.
        places: for each of COCO's 17 keypoints its place among them.
    """

    count: int = 17
    places: tuple[int, ...] = tuple(range(17))


def canonical(name: object) -> str:
    """A keypoint's name as in `NAMES`, "" where it says nothing: "LEye" → "left eye", "7" → ""."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", str(name)).lower()
    words = re.sub(r"\b(left|right)(?=[a-z])", r"\1 ", text.replace("_", " "))
    meant = [SIDES.get(w, w) for w in re.findall(r"[^\W\d_]+", words) if w not in SAYS_NOTHING]
    return " ".join(sorted(meant, key=lambda word: word not in SIDES.values()))


def read_categories(entries: Any, path: Path, findings: Findings) -> dict[str, KeypointOrder]:
    """The categories that are people, by id as text; empty where the file has no categories.

    Raises:
        UserError: there are categories with keypoints, and none has COCO's.
    """
    entries = [e for e in entries if isinstance(e, Mapping)] if isinstance(entries, list) else []
    if not any(isinstance(e.get("keypoints"), list) and e["keypoints"] for e in entries):
        findings.notes.append(
            f"{path.name} names no keypoints; COCO's 17 and their order are taken."
        )
        people = [e for e in entries if str(e.get("name")).lower() == "person"] or entries
        return {id_text(e.get("id")) or "": KeypointOrder() for e in people}
    orders: dict[str, KeypointOrder] = {}
    foreign = ""
    for entry in entries:
        key, names = id_text(entry.get("id")) or "", entry.get("keypoints") or []
        plain = [canonical(n) for n in names]
        lacking = [n for n in NAMES if n not in plain]
        if names and not lacking:
            orders[key] = KeypointOrder(len(names), tuple(plain.index(n) for n in NAMES))
        elif len(names) == 17 and not any(plain):
            orders[key] = KeypointOrder()
            findings.notes.append(
                f"The keypoints of {path.name} are called {names[0]}, {names[1]}, …, which does "
                "not say what they are; COCO's order is taken."
            )
        elif names and not foreign:
            foreign = (
                f"category {display(entry.get('name'))!r} has {len(names)} keypoints without "
                f"{', '.join(lacking[:3])}"
            )
    if not orders:
        raise UserError(
            f"{path}: {foreign}; expected are COCO's 17: "
            f"{', '.join(n.replace(' ', '_') for n in NAMES)}."
        )
    return orders


def order_of(category: str | None, orders: Mapping[str, KeypointOrder]) -> KeypointOrder | None:
    """The order of a category's keypoints; None where it is not people."""
    if not orders:
        return KeypointOrder()
    if category is None and len(orders) == 1:
        return next(iter(orders.values()))
    return orders.get(category or "")


def id_text(value: Any) -> str | None:
    """An id as text, so that 7, 7.0, "7" and "007" are one; None where there is none."""
    text = "" if value is None else str(value).strip()
    number = re.fullmatch(r"([0-9]{1,18})(?:\.0)?", text)
    return str(int(number[1])) if number else text or None
