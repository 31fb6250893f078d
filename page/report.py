"""Answers for programs: plain numbers, lists and names."""

from __future__ import annotations

from typing import Any

from page.photo.comparison import keypoint_differences, mean_score
from page.photo.session import Session, Side
from pose.export import person_dict
from pose.skeleton import KEYPOINTS


def detection_report(session: Session, side: Side) -> dict[str, Any]:
    """One photo's people as JSON; what is missing is null."""
    result = side.result
    height, width = result.image_size
    timings = result.timings
    return {
        "image": session.file_name,
        "width": width,
        "height": height,
        "weights": side.weights,
        "preset": session.preset,
        "seconds": {
            "preprocess": round(timings.preprocess, 4),
            "network": round(timings.network, 4),
            "decode": round(timings.decode, 4),
        },
        "notes": [*result.notes, *result.decode_notes],
        "people": [person_dict(p, number) for number, p in enumerate(result.people, start=1)],
    }


def comparison_report(session: Session) -> dict[str, Any]:
    """The people of A and B, and the differences keypoint by keypoint."""
    report: dict[str, Any] = {
        name: {
            **detection_report(session, side),
            "mean_score": rounded(mean_score(side.result.people)),
        }
        for name, side in zip("ab", session.sides, strict=False)
    }
    if session.b is not None:
        differences = keypoint_differences(session.a.result.people, session.b.result.people)
        report["joints"] = [
            {
                "name": keypoint.name,
                "found_a": d.found_a,
                "found_b": d.found_b,
                "score_a": rounded(d.score_a),
                "score_b": rounded(d.score_b),
                "distance": rounded(d.distance, 2),
            }
            for keypoint, d in zip(KEYPOINTS, differences, strict=True)
        ]
    return report


def rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)
