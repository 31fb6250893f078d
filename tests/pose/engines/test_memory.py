"""Peak memory of a process."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pose.engines.memory import peak_memory_bytes


def test_peak_includes_memory_that_was_given_back():
    before = peak_memory_bytes()
    block = bytearray(b"x" * 300_000_000)
    del block
    assert peak_memory_bytes() >= before
    assert peak_memory_bytes() > 300_000_000


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_peak_of_another_process():
    assert peak_memory_bytes(os.getpid()) == pytest.approx(peak_memory_bytes(), rel=0.05)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with pytest.raises(OSError):
        peak_memory_bytes(ended.pid)
