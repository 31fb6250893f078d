"""What programs ask the endpoints, and their answers as a fingerprint."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradio_client import Client, handle_file
from page_visitor import Visitor
from places import EXAMPLES

PHOTOS = ("photographer.jpg", "astronaut.jpg")
THRESHOLDS = (0.05, 0.3)
WEIGHTS = ("mobilenet-thin", "second-run")

ANSWERED_BY = 120
"""Seconds after which an answer counts as lost."""


@dataclass(frozen=True)
class Question:
    """A call of an endpoint: its name, the photo, and its options as (name, value)."""

    endpoint: str
    photo: str
    options: tuple[tuple[str, Any], ...]


def questions() -> list[Question]:
    """Both weights, every endpoint, other thresholds for each photo."""
    fast = ("preset", "fast")
    found = [
        Question("/detect", photo, (("weights", weights), ("peak_threshold", least), fast))
        for photo, least in zip(PHOTOS, THRESHOLDS, strict=True)
        for weights in WEIGHTS
    ]
    a, b = WEIGHTS
    found.append(Question("/compare", PHOTOS[1], (("weights_a", a), ("weights_b", b), fast)))
    found.append(Question("/field_map", PHOTOS[0], (("weights", b), ("channel", "nose"), fast)))
    return found


class Asker:
    """A program with a client of its own; its pictures arrive in a folder inside `folder`.

    An answer may still arrive after `close`: the owner of `folder` deletes it.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = tempfile.mkdtemp(prefix="asker-", dir=folder)
        self.client = Client(
            url,
            verbose=False,
            download_files=self.folder,
            httpx_kwargs={"timeout": ANSWERED_BY},  # by default 5 s, also for a busy machine
        )

    def ask(self, question: Question) -> str:
        """The fingerprint of the answer; all of it counts but the seconds it took."""
        answer = self._submit(question).result(timeout=ANSWERED_BY)
        parts = answer if isinstance(answer, tuple | list) else [answer]
        return hashlib.sha256(b"".join(map(content, parts))).hexdigest()

    def detect(self, photo: Path, **options: Any) -> tuple[str, dict[str, Any]]:
        """Path of the picture with skeletons, and the people."""
        job = self.client.submit(handle_file(str(photo)), api_name="/detect", **options)
        return job.result(timeout=ANSWERED_BY)

    def leave(self, question: Question, after: float) -> None:
        """Asks, and is gone before the answer is there."""
        self._submit(question)
        time.sleep(after)
        self.close()

    def close(self) -> None:
        self.client.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _submit(self, question: Question) -> Any:
        photo = handle_file(str(EXAMPLES / question.photo))
        return self.client.submit(photo, api_name=question.endpoint, **dict(question.options))


def content(part: Any) -> bytes:
    """A picture's bytes, or an answer in JSON without times."""
    if isinstance(part, str):
        return Path(part).read_bytes()
    return json.dumps(without_times(part), sort_keys=True).encode()


def without_times(answer: Any) -> Any:
    """A report without what differs from call to call."""
    if isinstance(answer, dict):
        return {k: without_times(v) for k, v in answer.items() if k != "seconds"}
    if isinstance(answer, list):
        return [without_times(entry) for entry in answer]
    return answer


def page_rows(url: str) -> dict[tuple[str, float], list]:
    """The page's table for each photo and threshold, with nobody else there."""
    visitor = Visitor(url)
    rows: dict[tuple[str, float], list] = {}
    for photo in PHOTOS:
        rows[photo, THRESHOLDS[0]] = visitor.run(EXAMPLES / photo, WEIGHTS[0])
        for threshold in THRESHOLDS[1:]:
            rows[photo, threshold] = visitor.decode(threshold)
        if visitor.decode(THRESHOLDS[0]) != rows[photo, THRESHOLDS[0]]:
            raise RuntimeError(f"a threshold moved and moved back gives other people: {photo}")
    visitor.close()
    return rows
