"""Files to download, each made when it is asked for."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from page.photo.pictures import FieldChoice, draw_black, draw_field, on_canvas
from page.photo.session import Session, Side
from page.workspace import new_folder, remove_folder
from pose import UserError
from pose.coco_annotations import LabelledPhoto, coco_annotations
from pose.drawing import DrawSettings, draw_people
from pose.export import csv_rows, csv_text, image_id_of, json_text, openpose_json
from pose.files import write_bytes

EVERYTHING = "everything"
FILES = ("coco", "openpose", "csv", "annotations", "skeletons", "field", "black", "black_json")
"""What can be downloaded besides everything, in the order of the menu."""


@dataclass(frozen=True)
class Wanted:
    """A file as chosen on the page.

    Attributes:
        kind: one of `FILES`, or `EVERYTHING`, a ZIP with the files of both sides.
        second: whether it is of B.
        drawing: how the skeletons are drawn.
        field: which heatmap or PAF.
        size: shorter side of the black picture, 0 for the photo's own.
    """

    kind: str
    second: bool
    drawing: DrawSettings
    field: FieldChoice
    size: int


def write_file(session: Session, wanted: Wanted) -> Path:
    """Writes a file into a new temporary folder; its name carries the photo's, and `_b` for B.

    Raises:
        UserError: it cannot be written.
    """
    folder = new_folder("files")
    try:
        if wanted.kind == EVERYTHING:
            return write_zip(session, wanted, folder / f"{session.name}_pose.zip")
        second = wanted.second and session.b is not None
        name, data = file_of(session, second, wanted, wanted.kind)
        write_bytes(folder / name, data)
        return folder / name
    except UserError:
        remove_folder(str(folder))  # what was written before the disk was full
        raise


def file_of(session: Session, second: bool, wanted: Wanted, kind: str) -> tuple[str, bytes]:
    """Name and bytes of one file."""
    side = session.b if second and session.b else session.a
    ending, data = content(session, side, wanted, kind)
    return f"{session.name}{'_b' if second else ''}_{ending}", data


def content(session: Session, side: Side, wanted: Wanted, kind: str) -> tuple[str, bytes]:
    """The ending of a file's name, and its bytes."""
    result, photo = side.result, session.file_name
    if kind == "coco":
        return "coco.json", json_text(result.to_coco(image_id_of(photo, 1), photo)).encode()
    if kind == "openpose":
        return "openpose.json", json_text(result.to_openpose()).encode()
    if kind == "csv":
        return "keypoints.csv", csv_text(csv_rows(result.people, photo)).encode()
    if kind == "annotations":
        return "annotations.json", annotations_text(session, side).encode()
    if kind == "skeletons":
        return "skeletons.png", png(draw_people(session.photo, result.people, wanted.drawing))
    if kind == "field":
        name = f"{slug(wanted.field.kind)}_{slug(wanted.field.channel)}.png"
        return name, png(draw_field(session.sides, side, wanted.field))
    (height, width), people = on_canvas(side, wanted.size)
    if kind == "black":
        return f"black_{width}x{height}.png", png(draw_black(side, wanted.size))
    text = json_text(openpose_json(people, image_size=(height, width)))
    return f"black_{width}x{height}.json", text.encode()


def annotations_text(session: Session, side: Side) -> str:
    """The people of a side as COCO annotations; A's with the labels of a correction."""
    people = session.labelled_of(side)
    photo = LabelledPhoto(session.file_name, side.result.image_size, people)
    return json_text(coco_annotations([photo]))


def all_files(session: Session, wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    """Every file of A and B, one by one: together a large photo's fill the memory."""
    for second in (False, True)[: len(session.sides)]:
        for kind in FILES:
            yield file_of(session, second, wanted, kind)


def write_zip(session: Session, wanted: Wanted, archive: Path) -> Path:
    """All files in one; returns the archive.

    Raises:
        UserError: it cannot be written.
    """
    try:
        with zipfile.ZipFile(archive, "w") as file:
            for name, data in all_files(session, wanted):
                # A PNG does not get smaller by packing it again.
                packed = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
                file.writestr(name, data, packed)
    except OSError as error:
        raise UserError(
            f"cannot write {archive.name}: {error.strerror or error}; free some disk space"
        ) from error
    return archive


def png(picture: np.ndarray) -> bytes:
    memory = BytesIO()
    Image.fromarray(picture).save(memory, "png", compress_level=2)
    return memory.getvalue()


def slug(text: str) -> str:
    return "-".join(text.replace("–", " ").split())
