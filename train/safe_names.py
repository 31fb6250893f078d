"""Names in data that others wrote: only those that stay in their folder are followed."""

from __future__ import annotations

import re
from pathlib import PurePosixPath


def leaves(name: str) -> bool:
    """Whether a name, relative to a folder, points outside of it, on any system."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or bool(re.match(r"[A-Za-z]:", name))
