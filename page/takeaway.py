"""Files to take away: COCO, OpenPose, CSV, pictures, and a ZIP of all."""

from __future__ import annotations

import zipfile
from io import BytesIO

import numpy as np
from PIL import Image

from page.pictures import field_pictures
from page.session import Session, Side
from page.workspace import new_folder
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
    contents: dict[str, bytes] = {}
    fields = field_pictures(session.photo, session.sides, kind, channel, stage)
    for mark, side, field in zip(("", "_b"), session.sides, fields, strict=False):
        contents |= side_files(session, side, mark, drawing)
        contents[f"{session.name}{mark}_{slug(kind)}_{slug(channel)}.png"] = png(field)
    archive = zipped(contents)
    contents[f"{session.name}_pose.zip"] = archive
    folder = new_folder("files")
    for name, data in contents.items():
        write_bytes_atomically(folder / name, data)
    return [str(folder / name) for name in contents]


def side_files(session: Session, side: Side, mark: str, drawing: DrawSettings) -> dict[str, bytes]:
    name = f"{session.name}{mark}"
    photo = session.file_name
    picture = draw_people(session.photo, side.people, drawing)
    texts = {
        f"{name}_coco.json": json_text(coco_results(side.people, image_id_of(photo, 1), photo)),
        f"{name}_openpose.json": json_text(openpose_json(side.people)),
        f"{name}_keypoints.csv": csv_text(csv_rows(side.people, photo)),
    }
    return {**{k: v.encode() for k, v in texts.items()}, f"{name}_skeletons.png": png(picture)}


def zipped(contents: dict[str, bytes]) -> bytes:
    memory = BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            # A PNG does not get smaller by packing it again.
            stored = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            archive.writestr(name, data, stored)
    return memory.getvalue()


def png(picture: np.ndarray) -> bytes:
    memory = BytesIO()
    Image.fromarray(picture).save(memory, "png", compress_level=2)
    return memory.getvalue()


def slug(text: str) -> str:
    return "-".join(text.replace("–", " ").split())
