"""COCO keypoint files as tools write them → `Annotations`: ids, categories, names, areas, sizes.

What a file does not say is derived, what cannot be used is left out, both in one line; what would
train or measure nonsense is refused (`annotation_checks`, `photo_fit`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from pose.errors import UserError
from pose.export import image_id_of
from train.data.annotations import AnnotatedImage, AnnotatedPerson, Annotations, Findings
from train.data.coco_person import read_person
from train.data.keypoint_names import KeypointOrder, id_text, order_of, read_categories
from train.data.photo_files import PhotoFolder
from train.data.photo_fit import fit_photos


def read_coco(file: Path, folder: Path | None) -> Annotations:
    """Reads a COCO keypoint file, or a results list, and finds its photos.

    Args:
        folder: of the photos; None to read the annotations alone.

    Raises:
        UserError: the file cannot be read, is something else, or makes no sense.
    """
    findings = Findings()
    content = load_json(file)
    if isinstance(content, list):
        content = from_results(content)
    if not isinstance(content, dict) or not isinstance(content.get("images"), list):
        raise UserError(f"{file} is not a COCO keypoint file: it has no list of images.")
    orders = read_categories(content.get("categories"), file, findings)
    images = read_images(content["images"], file, folder, findings)
    people = read_people(content.get("annotations"), images, orders, findings)
    with_people = [replace(image, people=tuple(people[key])) for key, image in images.items()]
    if not any(image.labelled for image in with_people):
        raise UserError(" ".join([nobody(file, content.get("annotations")), *findings.lines()]))
    fitted = fit_photos(with_people, file, findings)
    return Annotations(file, tuple(sorted(fitted, key=lambda i: i.image_id)), findings.lines())


def nobody(file: Path, entries: Any) -> str:
    """Why nobody has a keypoint."""
    entries = [e for e in entries if isinstance(e, Mapping)] if isinstance(entries, list) else []
    if any(isinstance(e.get("keypoints"), list) and any(e["keypoints"]) for e in entries):
        return f"All keypoints of {file} are labelled 0, which is missing; 1 is hidden, 2 visible."
    return f"{file} has no person with keypoints."


def load_json(file: Path) -> Any:
    """The content of a JSON file in UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Raises:
        UserError: the file cannot be read or is no JSON.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}); check its name.") from None
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:5]
        kinds = {
            b"PK\x03\x04": "a ZIP archive; unpack it first",
            b"<?xml": "XML; export COCO keypoints instead",
        }
        known = next((k for mark, k in kinds.items() if start.startswith(mark)), None)
        raise UserError(f"{file} is {known or f'not JSON ({error})'}.") from None


def from_results(entries: list) -> dict[str, Any]:
    """A results list, as the page and `pose detect` export it, in the layout of annotations."""
    images: dict[str, dict[str, Any]] = {}
    people = []
    for entry in entries:
        if not isinstance(entry, Mapping) or "keypoints" not in entry:
            return {}
        key = str(entry.get("file_name") or id_text(entry.get("image_id")))
        name = entry.get("file_name") or f"{key:0>12}.jpg"
        images.setdefault(key, {"id": key, "file_name": name})
        people.append({**entry, "image_id": key, "category_id": None})
    return {"images": list(images.values()), "annotations": people}


def read_images(
    entries: Sequence[Any], file: Path, folder: Path | None, findings: Findings
) -> dict[str, AnnotatedImage]:
    """Images by id as text, with their photos, without people.

    Raises:
        UserError: none is usable, or several entries name one photo or one id.
    """
    named: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for number, entry in enumerate(entries):
        key = id_text(entry.get("id")) if isinstance(entry, Mapping) else None
        name = str(entry.get("file_name") or "") if isinstance(entry, Mapping) else ""
        if key is None or not name:
            findings.leave_out("images without an id or a file name", f"number {number}")
        elif named.setdefault(key, (name, entry))[0] != name:
            raise UserError(f"{file}: {named[key][0]} and {name} have the same id, {key}.")
    if not named:
        raise UserError(f"{file} lists no images; it is not a COCO keypoint file.")
    photos = PhotoFolder(folder) if folder is not None else None
    ids = whole_ids(list(named), [name for name, _ in named.values()])
    images: dict[str, AnnotatedImage] = {}
    owners: dict[Path, str] = {}
    for image_id, (key, (name, entry)) in zip(ids, named.items(), strict=True):
        path = photos.find(name) if photos else None
        if path is not None and (other := owners.setdefault(path, key)) != key:
            first = named[other][0]
            raise UserError(f"{file}: {first} and {name} are both {path}; keep one of them.")
        bare = PurePosixPath(name.replace("\\", "/"))
        names = frozenset((key, str(image_id), name, bare.name, bare.stem))
        size = (whole(entry.get("height")), whole(entry.get("width")))
        known = (size[0] or 0, size[1] or 0) if all(size) else (0, 0)
        images[key] = AnnotatedImage(image_id, names, name, path, known, ())
    return images


def whole_ids(keys: Sequence[str], names: Sequence[str]) -> list[int]:
    """Image ids as numbers: as given, else the digits of the file names, else counted from 1."""
    if all(key.lstrip("-").isascii() and key.lstrip("-").isdigit() for key in keys):
        return [int(key) for key in keys]
    ids = [image_id_of(name.replace("\\", "/"), -1) for name in names]
    unique = len(set(ids)) == len(ids) and -1 not in ids
    return ids if unique else list(range(1, len(keys) + 1))


def whole(value: Any) -> int | None:
    """A whole number of pixels; None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return int(number) if 1 <= number <= 1e6 and number == int(number) else None


def read_people(
    entries: Any,
    images: Mapping[str, AnnotatedImage],
    orders: Mapping[str, KeypointOrder],
    findings: Findings,
) -> dict[str, list[AnnotatedPerson]]:
    """People by image id as text, in the file's order."""
    people: dict[str, list[AnnotatedPerson]] = defaultdict(list)
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, Mapping):
            findings.leave_out("annotations that are no objects", f"number {number}")
            continue
        name = f"annotation {entry.get('id', f'number {number}')}"
        key = id_text(entry.get("image_id")) or ""
        order = order_of(id_text(entry.get("category_id")), orders)
        if order is None:
            findings.leave_out("annotations of a category without COCO's 17 keypoints", name)
        elif key not in images:
            findings.leave_out("annotations of an unknown image", name)
        else:
            person = read_person(entry, order, images[key].size, name, findings)
            if person is not None:
                people[key].append(person)
    return people
