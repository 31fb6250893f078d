"""The header of a safetensors file, read without PyTorch and without trusting the file."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from pose.errors import UserError

MAX_HEADER_BYTES = 4 << 20
"""Largest safetensors header; ours has 30 kB."""

MAX_ENTRIES = 20_000
"""Most tensors or zip entries."""

SAFETENSORS_SIZES = {
    "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2,
    "I16": 2, "U16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip


def read_safetensors_header(path: Path, size: int | None = None) -> dict[str, Any]:
    """The header of a safetensors file, checked: key → {"dtype", "shape", "data_offsets"}.

    `__metadata__` is a dict of texts where there is one.

    Raises:
        UserError: not a whole, sane safetensors file.
    """
    size = path.stat().st_size if size is None else size
    with path.open("rb") as file:
        first = file.read(8)
        length = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
        if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
            raise UserError(
                f"{path} is not a whole safetensors file: its header of {length} bytes does not "
                "fit; download it again"
            )
        text = file.read(length)
    try:
        header = json.loads(text)
        metadata = header.get("__metadata__", {})
        end = 0
        if len(header) > MAX_ENTRIES or not all(isinstance(v, str) for v in metadata.values()):
            raise ValueError("header")
        for key, entry in header.items():
            if key == "__metadata__":
                continue
            begin, stop = entry["data_offsets"]
            numbers = 1
            for n in entry["shape"]:
                if not isinstance(n, int) or n < 0:
                    raise ValueError("shape")
                numbers *= n
            width = SAFETENSORS_SIZES.get(entry["dtype"])
            if not 0 <= begin <= stop or (width and stop - begin != numbers * width):
                raise ValueError("offsets")
            end = max(end, stop)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError(
            f"{path} has a damaged safetensors header; download or export it again"
        ) from None
    if end > size - 8 - length:
        raise UserError(
            f"{path} is cut off: {size} bytes where its header promises {8 + length + end}; "
            "download it again"
        )
    return header
