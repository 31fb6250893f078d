"""The README of weights on the Hub."""

from __future__ import annotations

import json
from collections.abc import Mapping

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from pose.weights.card import WeightsCard

HUB_LICENCES = ("apache-2.0", "mit", "cc-by-4.0", "cc0-1.0", "bsd-3-clause", "gpl-3.0", "unknown")
"""Licences by their names on the Hub; any other becomes "other"."""

NETWORK_LINES = {
    "openpose": "OpenPose on VGG-19: six stages, stride 8, 52,311,446 parameters",
    "mobilenet-thin": "OpenPose on MobileNet v1 (x0.75): six stages, stride 8, "
    "1,930,872 parameters",
}

AP_TITLES = {"ap": "AP", "ap50": "AP50", "ap75": "AP75", "ap_medium": "AP medium",
             "ap_large": "AP large", "ar": "AR"}  # fmt: skip
"""Metadata keys of the COCO keypoint metrics, fractions of 1."""

SHOWN_ELSEWHERE = {
    *AP_TITLES, "ap_note", "network", "preprocessing", "licence", "title", "settings",
    "training_data", "format", "format_version",
}  # fmt: skip


def model_card(
    card: WeightsCard,
    repo: str,
    *,
    formula: str,
    settings: str = "",
    loss_picture: str | None = None,
) -> str:
    """The model card as Markdown with the Hub's front matter.

    Args:
        card: of the loaded weights, network and preprocessing known.
        repo: "owner/name" it will be published as.
        formula: the preprocessing's formula.
        settings: the training settings as text, empty where unknown.
        loss_picture: file name of the loss curve, None where there is none.
    """
    metadata = dict(card.metadata or {})
    settings = settings or readable_settings(metadata.get("settings", ""))
    parts = [
        f"# {repo.split('/')[-1]}",
        "Multi-person 2D pose estimation: COCO-18 keypoints and part affinity fields from one "
        "photo.",
        "\n".join(
            [
                "| | |",
                "|---|---|",
                f"| network | `{card.network}`: {NETWORK_LINES[card.network or 'openpose']} |",
                f"| preprocessing | `{card.preprocessing}`: {formula} |",
                f"| licence | {cell(card.licence)} |",
                *(f"| {cell(k)} | {cell(v)} |" for k, v in other_facts(metadata)),
            ]
        ),
        "## Use\n\n```python\nfrom pose import PoseEstimator\n"
        f'estimator = PoseEstimator.from_pretrained("{repo}")\n'
        'people = estimator("photo.jpg").people\n```',
        "## Accuracy\n\n" + accuracy(metadata),
        "## Training data\n\n"
        + (metadata.get("training_data") or "Not stated in the weights' metadata."),
        "## Training settings\n\n"
        + (f"```\n{settings.strip()}\n```" if settings.strip() else "Not stated."),
    ]
    if loss_picture:
        parts.append(f"## Loss\n\n![Loss curve]({loss_picture})")
    parts.append(
        "## Limits\n\nFinds where limbs are; it does not identify people. Small people, crowds "
        "and unusual poses are missed more often."
    )
    content = "\n\n".join(parts)
    return str(ModelCard(f"---\n{hub_data(card, repo)}\n---\n\n{content}\n"))


def hub_data(card: WeightsCard, repo: str) -> ModelCardData:
    """What the Hub reads: licence, task, tags and the AP."""
    known = card.licence.strip().lower()
    ap = [
        EvalResult(
            task_type="keypoint-detection",
            dataset_type="coco",
            dataset_name=card.ap_note or "COCO keypoints",
            metric_type="AP",
            metric_value=card.ap,
        )
    ]
    return ModelCardData(
        license=known if known in HUB_LICENCES else "other",
        license_name=None if known in HUB_LICENCES else card.licence,
        pipeline_tag="keypoint-detection",
        tags=["pose-estimation", "openpose", "coco"],
        model_name=repo.split("/")[-1],
        eval_results=None if card.ap is None else ap,
    )


def accuracy(metadata: Mapping[str, str]) -> str:
    rows = [(title, metadata[key]) for key, title in AP_TITLES.items() if metadata.get(key)]
    if not rows:
        return "Not measured."
    table = "\n".join(f"| {title} | {cell(value)} |" for title, value in rows)
    note = metadata.get("ap_note", "")
    return f"| COCO keypoints | |\n|---|---|\n{table}" + (
        f"\n\nMeasured on {note}." if note else ""
    )


def other_facts(metadata: Mapping[str, str]) -> list[tuple[str, str]]:
    """Short texts of the metadata that no other part of the card shows."""
    return sorted(
        (key.replace("_", " "), value)
        for key, value in metadata.items()
        if key not in SHOWN_ELSEWHERE and len(value) <= 200 and value
    )


def readable_settings(text: str) -> str:
    """Settings kept as JSON in one line → one setting a line; other texts as they are."""
    try:
        values = json.loads(text)
    except ValueError:
        return text
    if not isinstance(values, dict):
        return text
    return "\n".join(f"{key}: {json.dumps(value)}" for key, value in values.items())


def cell(text: str) -> str:
    """A text fit for one cell of a Markdown table."""
    return " ".join(str(text).split()).replace("|", "\\|")
