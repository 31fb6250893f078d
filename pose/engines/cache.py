"""Where exported networks are kept between runs."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from platformdirs import user_cache_path

CACHE_VARIABLE = "POSE_CACHE"
"""Environment variable that names another folder."""

KEPT_FILES = 12
"""Files kept; beyond that the least recently written are deleted."""


def cache_dir() -> Path:
    """The user's folder for what can be made again."""
    named = os.environ.get(CACHE_VARIABLE)
    base = Path(named).expanduser() if named else user_cache_path("pose", appauthor=False)
    return base / "engines"


def cache_key(*parts: str) -> str:
    """A file name for everything that the content depends on."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def prune(folder: Path, new: Path | None = None) -> None:
    """Deletes the oldest files beyond `KEPT_FILES`, but never `new`, whatever the clock says."""
    try:
        files = [p for p in folder.iterdir() if p.suffix in (".onnx", ".json")]
        files.sort(key=lambda path: (path == new, path.stat().st_mtime), reverse=True)
        for path in files[KEPT_FILES:]:
            path.unlink(missing_ok=True)
    except OSError:
        pass  # another process is pruning too
