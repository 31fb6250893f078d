"""Answers for programs: plain numbers, lists and names."""

from __future__ import annotations

from typing import Any

from page.comparison import joint_differences, mean_score
from page.session import Session, Side
from pose import Person
from pose.export import coordinate, is_found, score
from pose.skeleton import KEYPOINTS


def detection_report(session: Session, side: Side) -> dict[str, Any]:
    """One photo's people as JSON; what is missing is null."""
    height, width = session.photo.shape[:2]
    timings = side.result.timings
    return {
        "image": session.file_name,
        "width": width,
        "height": height,
        "weights": side.weights,
        "preset": session.preset,
        "seconds": {
            "preprocess": round(timings.preprocess, 4),
            "network": round(timings.network, 4),
            "decode": round(side.decode_seconds, 4),
        },
        "notes": [*side.result.notes, *side.notes],
        "people": [person_report(p, number) for number, p in enumerate(side.people, start=1)],
    }


def person_report(person: Person, number: int) -> dict[str, Any]:
    found = is_found(person.keypoints)
    return {
        "id": number,
        "score": score(person.score),
        "box": [coordinate(v) for v in person.box],
        "keypoints": [
            {
                "name": keypoint.name,
                "x": coordinate(x) if there else None,
                "y": coordinate(y) if there else None,
                "score": score(s) if there else 0.0,
            }
            for keypoint, (x, y, s), there in zip(KEYPOINTS, person.keypoints, found, strict=True)
        ],
    }


def comparison_report(session: Session) -> dict[str, Any]:
    """The people of A and B, and the differences joint by joint."""
    report: dict[str, Any] = {
        name: {**detection_report(session, side), "mean_score": rounded(mean_score(side))}
        for name, side in zip("ab", session.sides, strict=False)
    }
    if session.b is not None:
        report["joints"] = [
            {
                "name": keypoint.name,
                "found_a": d.found_a,
                "found_b": d.found_b,
                "score_a": rounded(d.score_a),
                "score_b": rounded(d.score_b),
                "distance": rounded(d.distance, 2),
            }
            for keypoint, d in zip(KEYPOINTS, joint_differences(session.a, session.b), strict=True)
        ]
    return report


def rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)
