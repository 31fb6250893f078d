"""The people of one photo or frame, and a journal of them so that a stopped run can go on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pose.errors import UserError
from pose.results import Person

JOURNAL_VERSION = 1


@dataclass(frozen=True)
class Answer:
    """The people of one photo or frame, or why there are none.

    Attributes:
        place: among all sources of the command, from 0.
        path: the file.
        stem: what files made from it are called, without ending.
        people: best score first.
        problem: why the source could not be used, or None.
    """

    place: int
    path: Path
    stem: str
    people: tuple[Person, ...] = ()
    problem: str | None = None

    def line(self, key: str) -> str:
        """As a line of a journal; the float32 values survive to the last bit."""
        people = [
            {"keypoints": numbers(person.keypoints), "score": person.score}
            for person in self.people
        ]
        return json.dumps({"key": key, "people": people, "problem": self.problem})


def numbers(keypoints: np.ndarray) -> list[list[float | None]]:
    """Keypoints as JSON holds them: null for NaN."""
    return [[None if np.isnan(v) else float(v) for v in row] for row in keypoints]


def people_from(entries: list[Mapping[str, Any]]) -> tuple[Person, ...]:
    """The people of a journal's line."""
    return tuple(
        Person(np.array(entry["keypoints"], np.float32), float(entry["score"])) for entry in entries
    )


class Journal:
    """A file beside the output with what is answered so far; a context manager.

    The first line says what is measured with, each other one is a source's answer. A line that a
    crash cut off is not read. Every process of a run over several writes its own.

    Args:
        output: the file or folder that the answers are meant for.
        identity: everything the answers depend on.
        rank: number of the process.
    """

    def __init__(self, output: Path, identity: Mapping[str, Any], rank: int = 0) -> None:
        self.output = output.resolve()  # also where it is called "."
        self.path = self.output.with_name(f".{self.output.name}.{rank}.journal")
        self.identity = json.loads(json.dumps({"version": JOURNAL_VERSION, **identity}))
        self._file: Any = None

    def every_path(self) -> list[Path]:
        """The journals of all processes."""
        ours = re.compile(rf"\.{re.escape(self.output.name)}\.\d+\.journal")
        beside = self.output.parent.glob(".*.journal")
        return sorted(path for path in beside if ours.fullmatch(path.name))

    def read(self) -> dict[str, Mapping[str, Any]]:
        """What earlier processes answered, by the sources' keys; problems are tried again.

        Raises:
            UserError: a journal is of another run.
        """
        found: dict[str, Mapping[str, Any]] = {}
        for path in self.every_path():
            lines = list(whole_lines(path))
            if lines and lines[0] != self.identity:
                raise UserError(
                    f"{path} is of a run with other options: repeat those, or leave out --resume"
                )
            found |= {line["key"]: line for line in lines[1:] if not line["problem"]}
        return found

    def open(self, answered: Mapping[str, Mapping[str, Any]]) -> None:
        """Starts this process's file anew, with what is answered already."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            partial = self.path.with_name(f"{self.path.name}.part")
            with partial.open("w", encoding="utf-8") as file:
                for line in (self.identity, *answered.values()):
                    file.write(json.dumps(line) + "\n")
            partial.replace(self.path)
            self._file = self.path.open("a", encoding="utf-8")
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: {error.strerror or error}") from None

    def add(self, key: str, answer: Answer) -> None:
        """Keeps an answer."""
        self._file.write(answer.line(key) + "\n")
        self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def delete(self) -> None:
        """Removes the journals of all processes: the answers are where they belong."""
        self.close()
        self.delete_others()
        self.path.unlink(missing_ok=True)

    def delete_others(self) -> None:
        """Removes the journals of all processes but this one."""
        for path in self.every_path():
            if path != self.path:
                path.unlink(missing_ok=True)


def whole_lines(path: Path) -> Iterator[Any]:
    """The lines that are whole."""
    for text in path.read_text("utf-8", errors="replace").splitlines():
        try:
            yield json.loads(text)
        except ValueError:
            return
