"""The value of the editor's component: a session's people go there, their corrections come back."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

from gradio.data_classes import FileData
from gradio.utils import get_upload_folder
from PIL import Image

from page.editor.component import editor_texts
from page.editor.edits import people_json, read_people
from page.images import reduced
from page.photo.session import Session, correct
from pose.coco_annotations import LabelledPerson
from pose.files import write_bytes

LONGEST = 4096
"""Pixels of the photo's longer side in the editor, where one zooms in on small people."""


def editor_value(session: Session, language: str) -> dict[str, Any]:
    """The editor's value: the photo, its people, what the network found, and texts."""
    height, width = session.a.result.image_size
    found = session.a.result.people if session.correction is None else session.found
    key = photo_key(session)
    return {
        "key": key,
        "photo": FileData(path=photo_file(session, key)).model_dump(),
        "width": width,
        "height": height,
        "people": people_json(session.labelled_of(session.a)),
        "edits": session.edits,
        "network": people_json(map(LabelledPerson.of, found)),
        "texts": editor_texts(language),
    }


def photo_key(session: Session) -> str:
    """What is the same for the same photo."""
    height, width = session.a.result.image_size
    return sha256(f"{height} {width} ".encode() + session.shown.tobytes()).hexdigest()[:32]


def photo_file(session: Session, key: str) -> str:
    """Path of the photo's JPEG in Gradio's cache; written once."""
    path = Path(get_upload_folder()) / key / "photo.jpg"
    if not path.is_file():
        memory = BytesIO()
        picture = Image.fromarray(reduced(session.photo, LONGEST))
        picture.save(memory, "jpeg", quality=90)
        write_bytes(path, memory.getvalue())
    return str(path)


def corrected(session: Session | None, value: Any) -> Session | None:
    """The session with the editor's people; None where the editor shows another photo.

    Raises:
        UserError: a keypoint is outside the photo, or what came is no value of the editor.
    """
    if session is None or not isinstance(value, dict) or value.get("key") != photo_key(session):
        return None
    people = read_people(value.get("people"), session.a.result.image_size)
    return replace(correct(session, people), edits=value.get("edits", session.edits))
