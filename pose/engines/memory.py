"""Peak memory of a process."""

from __future__ import annotations

import sys
from pathlib import Path


def peak_memory_bytes(process: int | None = None) -> int:
    """The most resident memory a process has used so far.

    Args:
        process: its id, on Linux only; None for this process.

    Raises:
        OSError: there is no such process, or the system does not report it.
    """
    status = Path(f"/proc/{process or 'self'}/status")
    if process is not None or status.is_file():
        # Unlike getrusage, whose peak starts with the parent's memory at the fork.
        lines = status.read_text("utf-8").splitlines()
        peak = next((line for line in lines if line.startswith("VmHWM")), None)
        if peak is None:
            raise OSError(f"process {process} has ended")
        return int(peak.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        raise OSError("this system does not report a process's peak memory") from None
    peak_size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak_size if sys.platform == "darwin" else peak_size * 1024
