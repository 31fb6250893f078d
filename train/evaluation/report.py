"""A measurement as text for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from train.evaluation.compare import TITLES
from train.evaluation.measure import Metrics


def report(metrics: Metrics, content: Mapping[str, Any]) -> str:
    """The metrics, with all that is needed to measure them again.

    Args:
        content: of metrics.json.
    """
    settings, images, score = content["settings"], content["images"], metrics.score
    preset = settings["preset"]
    scales = f"shorter side {', '.join(map(str, preset['short_sides']))}"
    if heights := preset.get("person_heights"):
        scales += f", then people {' and '.join(map(str, heights))} pixels tall"
    if preset["flip"]:
        scales += ", mirrored too"
    low, high = content["intervals"]["ap"]
    chance = "" if low is None else f"   90 % interval over images: {low:.4f} to {high:.4f}"
    lines = [
        content["command"],
        f"{settings['split']}: {images['measured']} images measured, {images['missing']} without "
        f"a photo, {images['broken']} broken",
        *(f"  broken: {image.reason}" for image in metrics.broken),
        f"weights {settings['weights']['name']} (sha256 {settings['weights']['sha256'][:12]}), "
        f"preset {preset['name']} ({scales}), {settings['device']}, "
        f"engine {settings['engine']['name']} in {settings['engine']['precision']}",
        *(f"note: {note}" for note in content["notes"]),
        "",
        *(
            f"{TITLES[name]:<10} {value:.4f}{chance if name == 'ap' else ''}"
            for name, value in score.metrics.items()
        ),
        "",
        f"{score.people} labelled people: {score.people - score.missed} found (OKS 0.5), "
        f"{score.missed} missed; {score.false_positives} false positives",
        "Keypoints of found people within their OKS distance (KS > 0.5):",
        *(
            f"  {rate.name:<15} {rate.rate:6.1%} of {rate.of_matched}"
            for rate in score.per_keypoint
        ),
        "Milliseconds a photo, median (mean): "
        + ", ".join(
            f"{step} {1000 * time.median:.1f} ({1000 * time.mean:.1f})"
            for step, time in metrics.timings.items()
        ),
        f"on {content['hardware']}",
    ]
    return "\n".join(lines)
