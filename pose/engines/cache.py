"""Where exported networks are kept between runs, and their files."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

CACHE_VARIABLE = "POSE_CACHE"
"""Environment variable that names another folder."""

KEPT_FILES = 12
"""Files kept; the least recently written of more are deleted."""


def cache_dir() -> Path:
    """The user's folder for what can be made again."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).expanduser() / "engines"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "pose" / "engines"


def cache_key(*parts: str) -> str:
    """A file name for everything that the content depends on."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def prune(folder: Path, new: Path | None = None) -> None:
    """Deletes the oldest files beyond `KEPT_FILES`, whatever the clock says never `new`."""
    try:
        files = [p for p in folder.iterdir() if p.suffix in (".onnx", ".json")]
        files.sort(key=lambda path: (path == new, path.stat().st_mtime), reverse=True)
        for path in files[KEPT_FILES:]:
            path.unlink(missing_ok=True)
    except OSError:
        pass  # another process is at it
