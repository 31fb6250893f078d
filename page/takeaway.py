"""Files to take away: COCO, OpenPose, CSV, pictures, and a ZIP of all."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from page.pictures import field_pictures
from page.session import Session, Side
from page.workspace import new_folder, remove_folder
from pose import UserError
from pose.export import (
    coco_results,
    csv_rows,
    csv_text,
    image_id_of,
    json_text,
    openpose_json,
    write_bytes_atomically,
)
from pose.render import DrawSettings, draw_people


def write_files(
    session: Session, drawing: DrawSettings, kind: str, channel: str, stage: int
) -> list[str]:
    """Writes everything about a session into a new temporary folder; returns the paths.

    File names carry the photo's name, and `_b` for the second weights.
    """
    fields = field_pictures(session.photo, session.sides, kind, channel, stage)
    pictures = [png(field) for field in fields]
    del fields
    folder = new_folder("files")
    try:
        paths = write_sides(session, drawing, f"{slug(kind)}_{slug(channel)}", pictures, folder)
        paths.append(zipped(paths, folder / f"{session.name}_pose.zip"))
    except UserError:
        remove_folder(str(folder))  # what is left of a full disk is not to be filled
        raise
    return [str(path) for path in paths]


def write_sides(
    session: Session, drawing: DrawSettings, field: str, pictures: Sequence[bytes], folder: Path
) -> list[Path]:
    """The files of A and B, written one by one: all at once a large photo's fill the memory."""
    paths: list[Path] = []

    def keep(name: str, data: bytes) -> None:
        write_bytes_atomically(folder / name, data)
        paths.append(folder / name)

    for mark, side, picture in zip(("", "_b"), session.sides, pictures, strict=False):
        name = f"{session.name}{mark}"
        for ending, text in side_texts(side, session.file_name).items():
            keep(f"{name}_{ending}", text.encode())
        keep(f"{name}_skeletons.png", png(draw_people(session.photo, side.people, drawing)))
        keep(f"{name}_{field}.png", picture)
    return paths


def side_texts(side: Side, photo: str) -> dict[str, str]:
    """The people of one side by the ending of a file's name."""
    return {
        "coco.json": json_text(coco_results(side.people, image_id_of(photo, 1), photo)),
        "openpose.json": json_text(openpose_json(side.people)),
        "keypoints.csv": csv_text(csv_rows(side.people, photo)),
    }


def zipped(paths: Sequence[Path], archive: Path) -> Path:
    """All files in one; returns the archive.

    Raises:
        UserError: it cannot be written.
    """
    try:
        with zipfile.ZipFile(archive, "w") as file:
            for path in paths:
                # A PNG does not get smaller by packing it again.
                packed = zipfile.ZIP_STORED if path.suffix == ".png" else zipfile.ZIP_DEFLATED
                file.write(path, path.name, packed)
    except OSError as error:
        raise UserError(
            f"cannot write {archive.name}: {error.strerror or error}; make room on the disk"
        ) from error
    return archive


def png(picture: np.ndarray) -> bytes:
    memory = BytesIO()
    Image.fromarray(picture).save(memory, "png", compress_level=2)
    return memory.getvalue()


def slug(text: str) -> str:
    return "-".join(text.replace("–", " ").split())
