"""metrics.json and the results list beside it: written, read back, checked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pose.errors import UserError
from pose.export import json_text, write_text_atomically
from train.bootstrap import CONFIDENCE, FIGURES, RESAMPLES, Interval, intervals
from train.coco_truth import sha256_of
from train.measuring import Metrics

FORMAT, VERSION = "pose-metrics", 1


@dataclass(frozen=True)
class Run:
    """A metrics.json that was read.

    Attributes:
        path: the file.
        content: all of it; see `metrics_content`.
    """

    path: Path
    content: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Weights and preset."""
        return f"{self.weights}, {self.preset}"

    @property
    def weights(self) -> str:
        return str(self.content["settings"]["weights"]["name"])

    @property
    def preset(self) -> str:
        return str(self.content["settings"]["preset"]["name"])

    @property
    def split(self) -> str:
        return str(self.content["settings"]["split"])

    @property
    def hardware(self) -> str:
        return str(self.content["hardware"])

    @property
    def image_ids(self) -> tuple[int, ...]:
        return tuple(self.content["images"]["ids"])

    @property
    def annotations_sha256(self) -> str:
        return str(self.content["settings"]["annotations"]["sha256"])

    @property
    def seconds(self) -> float:
        """Median seconds a photo, without reading the file."""
        return float(self.content["timings"]["total"]["median"])

    @property
    def ap(self) -> Interval:
        """AP with its interval."""
        low, high = (number(v) for v in self.content["intervals"]["ap"])
        return Interval(number(self.content["figures"]["ap"]), low, high)


def results_path(output: Path) -> Path:
    """metrics.json → metrics.results.json."""
    stem = output.name.removesuffix(".json")
    return output.with_name(f"{stem}.results.json")


def journal_path(output: Path) -> Path:
    """metrics.json → metrics.journal.jsonl."""
    stem = output.name.removesuffix(".json")
    return output.with_name(f"{stem}.journal.jsonl")


def metrics_content(
    metrics: Metrics,
    *,
    command: str,
    settings: Mapping[str, Any],
    hardware: str,
    versions: Mapping[str, str],
    results: Mapping[str, str],
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Everything that metrics.json says.

    Args:
        command: the command line that measures the same again.
        settings: data, weights, preset and decoder.
        results: name and sha256 of the results file.
        notes: sentences about the weights.
    """
    spread = intervals(metrics.score.matches)
    return {
        "format": FORMAT,
        "format_version": VERSION,
        "command": command,
        "settings": settings,
        "images": {
            "measured": len(metrics.image_ids),
            "missing": len(metrics.missing),
            "broken": len(metrics.broken),
            "missing_names": list(metrics.missing),
            "broken_names": [asdict(image) for image in metrics.broken],
            "ids": list(metrics.image_ids),
        },
        "figures": {name: json_number(value) for name, value in metrics.figures.items()},
        "intervals": {n: [json_number(spread[n].low), json_number(spread[n].high)] for n in spread},
        "intervals_note": f"{CONFIDENCE:.0%} percentile bootstrap over images, "
        f"{RESAMPLES} resamples",
        "people": {
            "labelled": metrics.people,
            "found": metrics.people - metrics.missed,
            "missed": metrics.missed,
            "invented": metrics.invented,
            "detections": metrics.detections,
        },
        "per_joint": {
            joint.name: {
                "rate": json_number(joint.rate),
                "found": joint.found,
                "of_matched": joint.of_matched,
                "labelled": joint.labelled,
            }
            for joint in metrics.per_joint
        },
        "timings": {step: asdict(time) for step, time in metrics.timings.items()},
        "hardware": hardware,
        "versions": dict(versions),
        "results": results,
        "notes": list(dict.fromkeys([*notes, *metrics.notes])),
    }


def write_metrics(output: Path, metrics: Metrics, **about: Any) -> dict[str, Any]:
    """Writes the results list, then metrics.json, each as a whole; gives back what the latter says.

    Args:
        about: the keywords of `metrics_content` but `results`.

    Raises:
        UserError: a file cannot be written.
    """
    results = results_path(output)
    write_text_atomically(results, json_text(list(metrics.results)))
    named = {"file": results.name, "sha256": sha256_of(results)}
    content = metrics_content(metrics, results=named, **about)
    write_text_atomically(output, json.dumps(content, indent=1, allow_nan=False) + "\n")
    return content


def read_run(path: Path) -> Run:
    """Reads a metrics.json.

    Raises:
        UserError: it cannot be read or is something else.
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
    run = Run(path, content)
    try:
        _ = (run.label, run.split, run.hardware, run.image_ids, run.annotations_sha256)
        _ = (run.seconds, run.ap, content["results"]["file"], content["people"]["missed"])
        complete = content["figures"].keys() >= set(FIGURES)
    except (KeyError, TypeError, ValueError, AttributeError):
        complete = False
    if not complete:
        raise UserError(f"{path} is damaged; measure again.")
    return run


def read_results(run: Run) -> list[dict[str, Any]]:
    """The results list that a metrics.json names.

    Raises:
        UserError: it is not there or has changed since.
    """
    named = run.content["results"]
    path = run.path.parent / Path(named["file"]).name  # beside it, whatever the file says
    if sha256_of(path) != named["sha256"]:
        raise UserError(f"{path} is not what {run.path} was made from; measure again.")
    return json.loads(path.read_text("utf-8"))


def json_number(value: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(value) else value


def number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
