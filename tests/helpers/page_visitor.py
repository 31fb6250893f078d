"""A visitor of the photo tab who speaks to the page as the browser does, with a session."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

PATIENCE = 120
"""Seconds an answer may take."""


class Busy(Exception):
    """The queue is full; the message is the server's."""


class Visitor:
    """One browser tab: runs a photo, then moves thresholds.

    Attributes:
        session: Gradio's session hash.
    """

    def __init__(self, url: str) -> None:
        self.session = uuid4().hex
        self._http = httpx.Client(base_url=url, timeout=PATIENCE)
        config = self._http.get("config").json()
        self._prefix = config["api_prefix"].lstrip("/")
        self._values = {c["id"]: c["props"].get("value") for c in config["components"]}
        self._ids = {c["props"].get("elem_id"): c["id"] for c in config["components"]}
        # Other tabs have events of these names; Gradio numbers them.
        shown = [d for d in config["dependencies"] if self._ids["people"] in d["outputs"]]
        self._events = {d["api_name"].split("_")[0]: d for d in reversed(shown)}

    def close(self) -> None:
        self._http.close()

    def run(self, photo: Path, weights: str) -> list[list[object]]:
        """Uploads a photo and runs it; the rows of the table of people.

        Raises:
            Busy: the queue is full.
        """
        with photo.open("rb") as file:
            (path,) = self._http.post(
                f"{self._prefix}/upload", files={"files": (photo.name, file)}
            ).json()
        data = {"path": path, "orig_name": photo.name, "meta": {"_type": "gradio.FileData"}}
        chosen = {"input-image": data, "weights-a": weights, "weights-b": "", "preset": "fast"}
        return self._rows("run", chosen)

    def decode(self, peak_threshold: float) -> list[list[object]]:
        """Moves the first threshold; the rows of the table of people.

        Raises:
            Busy: the queue is full.
        """
        return self._rows("decode", {"peak-threshold": peak_threshold})

    def _rows(self, name: str, changes: dict[str, Any]) -> list[list[object]]:
        event = self._events[name]
        values = self._values | {self._ids[element]: value for element, value in changes.items()}
        data = [values[component] for component in event["inputs"]]
        joined = self._http.post(
            f"{self._prefix}/queue/join",
            json={"data": data, "fn_index": event["id"], "session_hash": self.session},
        )
        if joined.status_code == 503:
            raise Busy(joined.json()["detail"])
        joined.raise_for_status()
        table = event["outputs"].index(self._ids["people"])
        return self._answer(joined.json()["event_id"])["data"][table]["data"]

    def _answer(self, event_id: str) -> dict[str, Any]:
        query = {"session_hash": self.session}
        with self._http.stream("GET", f"{self._prefix}/queue/data", params=query) as lines:
            for line in lines.iter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                if message["msg"] != "process_completed" or message.get("event_id") != event_id:
                    continue
                if not message["success"]:
                    raise RuntimeError(message["output"].get("error"))
                return message["output"]
        raise RuntimeError("the page closed the connection without an answer")
