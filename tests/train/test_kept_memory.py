"""Freed memory is kept: the system does not clear it again for each step."""

from __future__ import annotations

import subprocess
import sys

import pytest
from places import ROOT

COUNT = """
import resource, sys
import torch
from train.kept_memory import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for megabytes in [64] + 40 * [48]:
    torch.ones(megabytes * 2**20 // 4)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_pages_are_cleared_once():
    faults = {}
    for how in ("kept", "by itself"):
        done = subprocess.run(
            [sys.executable, "-c", COUNT, how], cwd=ROOT, capture_output=True, text=True, check=True
        )
        faults[how] = int(done.stdout)
    assert faults["kept"] < 0.3 * faults["by itself"]
