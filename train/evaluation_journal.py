"""Answers image by image on the disk, so that a stopped evaluation can go on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pose.errors import UserError

VERSION = 1

STEPS = ("read", "preprocess", "network", "decode")
"""Steps that are timed for each photo."""


@dataclass(frozen=True)
class ImageAnswer:
    """What was found on one image.

    Attributes:
        image_id: COCO's id.
        results: official COCO results entries of the image.
        seconds: of each of `STEPS`; empty where the image is broken.
        problem: why the image could not be measured, or None.
        notes: sentences of the estimator about this image.
    """

    image_id: int
    results: tuple[Mapping[str, Any], ...]
    seconds: Mapping[str, float]
    problem: str | None = None
    notes: tuple[str, ...] = ()


class EvaluationJournal:
    """A file with a line for what is measured and then a line for each answer.

    A line that a crash cut off is not read.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        self.path = path
        self.identity = json.loads(json.dumps({"version": VERSION, **identity}))
        self._file: Any = None

    def read(self) -> list[ImageAnswer]:
        """The answers of an earlier process; none where there is no journal.

        Raises:
            UserError: the journal is of another measurement.
        """
        if not self.path.is_file():
            return []
        try:
            lines = self.path.read_text("utf-8", errors="replace").splitlines()
        except OSError as error:
            raise UserError(f"{self.path} cannot be read ({error.strerror}).") from None
        entries = [entry for entry in map(parsed, lines) if entry is not None]
        if not entries:
            return []
        if entries[0] != self.identity:
            changed = [k for k, v in self.identity.items() if entries[0].get(k) != v]
            raise UserError(
                f"{self.path} was begun with other settings ({', '.join(changed)} differ): give "
                "the same ones, or leave out --resume to start anew."
            )
        return [
            ImageAnswer(
                e["image_id"], tuple(e["results"]), e["seconds"], e["problem"], tuple(e["notes"])
            )
            for e in entries[1:]
        ]

    def begin(self, answers: Sequence[ImageAnswer] = ()) -> None:
        """Opens the file anew with answers that are already there.

        Raises:
            UserError: it cannot be written.
        """
        temporary = self.path.with_name(self.path.name + ".tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("w", encoding="utf-8") as file:
                file.write(line_of(self.identity))
                file.writelines(line_of(asdict(answer)) for answer in answers)
            temporary.replace(self.path)
            self._file = self.path.open("a", encoding="utf-8")
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise UserError(f"{self.path} cannot be written ({error.strerror}).") from None

    def add(self, answers: Iterable[ImageAnswer]) -> None:
        """Writes answers through to the system, where a killed process cannot lose them."""
        self._file.write("".join(line_of(asdict(answer)) for answer in answers))
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """Forgets it; the measurement is finished and written elsewhere."""
        self.close()
        self.path.unlink(missing_ok=True)


def line_of(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry) + "\n"


def parsed(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
