"""metrics.json and the results list beside it: written, loaded again and checked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pose.errors import UserError
from pose.export import json_text
from pose.files import write_text
from pose.weights.load import file_sha256
from train.data.read import Source
from train.evaluation.bootstrap import CONFIDENCE, RESAMPLES, Interval, intervals, resample
from train.evaluation.measure import Metrics

FORMAT, VERSION = "pose-metrics", 2

RESULTS = ".results.json"
"""How the name ends of the people found, beside metrics.json."""


@dataclass(frozen=True)
class Run:
    """A loaded metrics.json.

    Attributes:
        path: the file.
        weights, preset: their names.
        source: the data set, where it was measured.
        annotations_sha256: of its annotation file.
        image_ids: the measured images.
        ap: AP with its interval.
        seconds: median seconds a photo, without reading the file.
        hardware: the machine.
        results: the results list beside it, and its sha256.
    """

    path: Path
    weights: str
    preset: str
    source: Source
    annotations_sha256: str
    image_ids: tuple[int, ...]
    ap: Interval
    seconds: float
    hardware: str
    results: Path
    results_sha256: str


def results_path(output: Path) -> Path:
    """metrics.json → metrics.results.json."""
    return output.with_name(f"{output.name.removesuffix('.json')}{RESULTS}")


def write_metrics(output: Path, metrics: Metrics, about: Mapping[str, Any]) -> dict[str, Any]:
    """Writes the results list, then metrics.json, each atomically; returns the latter's content.

    Args:
        about: the command, its settings, the machine and notes about the weights, as they are to
            stand in the file.

    Raises:
        UserError: a file cannot be written.
    """
    results, score = results_path(output), metrics.score
    write_text(results, json_text(list(metrics.results)))
    content = {
        "format": FORMAT,
        "format_version": VERSION,
        **about,
        "images": {
            "measured": len(metrics.image_ids),
            "missing": len(metrics.missing),
            "broken": len(metrics.broken),
            "missing_names": metrics.missing,
            "broken_names": [asdict(image) for image in metrics.broken],
            "ids": metrics.image_ids,
        },
        "metrics": score.metrics,
        "intervals": {n: (i.low, i.high) for n, i in intervals(resample(score.matches)).items()},
        "intervals_note": f"{CONFIDENCE:.0%} percentile bootstrap over images, "
        f"{RESAMPLES} resamples",
        "people": {
            "labelled": score.people,
            "found": score.people - score.missed,
            "missed": score.missed,
            "false_positives": score.false_positives,
            "detections": score.detections,
        },
        "per_keypoint": {
            r.name: {
                "rate": r.rate,
                "found": r.found,
                "of_matched": r.of_matched,
                "labelled": r.labelled,
            }
            for r in score.per_keypoint
        },
        "timings": {step: asdict(time) for step, time in metrics.timings.items()},
        "results": {"file": results.name, "sha256": file_sha256(results)},
        "notes": list(dict.fromkeys([*about["notes"], *metrics.notes])),
    }
    content = without_nan(content)
    write_text(output, json.dumps(content, indent=1, allow_nan=False) + "\n")
    return content


def without_nan(value: Any) -> Any:
    """JSON has no NaN: null takes its place."""
    if isinstance(value, Mapping):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def read_run(path: Path) -> Run:
    """Loads a metrics.json.

    Raises:
        UserError: it cannot be read, is something else or of an earlier version.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}).") from None
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UserError(f"{path} is not a metrics.json of python -m train.evaluate.")
    if content.get("format_version") != VERSION:
        raise UserError(f"{path} was written by another version of this program; measure again.")
    try:
        settings, results = content["settings"], content["results"]
        annotations = settings["annotations"]
        ap = (content["metrics"]["ap"], *content["intervals"]["ap"])
        return Run(
            path,
            str(settings["weights"]["name"]),
            str(settings["preset"]["name"]),
            Source(Path(annotations["file"]), Path(annotations["photos"]), str(settings["split"])),
            str(annotations["sha256"]),
            tuple(int(image_id) for image_id in content["images"]["ids"]),
            Interval(*(math.nan if value is None else float(value) for value in ap)),
            float(content["timings"]["total"]["median"]),
            str(content["hardware"]),
            path.parent / Path(results["file"]).name,  # beside it, whatever the file says
            str(results["sha256"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UserError(f"{path} is damaged; measure again.") from None


def read_results(run: Run) -> list[dict[str, Any]]:
    """The results list that a metrics.json names.

    Raises:
        UserError: it is not there or has changed since.
    """
    if not run.results.is_file() or file_sha256(run.results) != run.results_sha256:
        raise UserError(f"{run.results} is not what {run.path} was made from; measure again.")
    return json.loads(run.results.read_text("utf-8"))
