"""docs/licences.md names everything that ships and everything that is needed."""

from __future__ import annotations

import re
import subprocess

import pytest
from places import ROOT

LISTED = (ROOT / "docs/licences.md").read_text()


def packages(name: str) -> list[str]:
    """The direct requirements in a file."""
    lines = (ROOT / name).read_text().splitlines()
    return [m[0] for line in lines if (m := re.match(r"[A-Za-z][\w.-]*", line))]


@pytest.mark.parametrize("name", packages("requirements.txt") + packages("requirements-dev.txt"))
def test_every_requirement_is_listed(name):
    (row,) = re.findall(rf"^\| {re.escape(name)} \| (.+) \|$", LISTED, re.MULTILINE)
    assert re.search(r"Apache-2\.0|MIT|BSD|MPL-2\.0|Matplotlib licence", row)


def test_nothing_is_listed_that_is_not_required():
    rows = re.findall(r"^\| ([a-z][\w.-]*) \|", LISTED.partition("## To run it")[2], re.MULTILINE)
    needed = {*packages("requirements.txt"), *packages("requirements-dev.txt")}
    assert set(rows) - {"package"} == needed


def test_every_photo_and_every_weights_file_is_listed():
    files = subprocess.run(
        ["git", "ls-files", "assets", "docs"], cwd=ROOT, capture_output=True, text=True
    )
    if files.returncode:
        pytest.skip("not a git checkout")
    kinds = (".jpg", ".png", ".safetensors", ".pth", ".npz", ".onnx", ".ttf", ".mp4")
    shipped = [name for name in files.stdout.split() if name.endswith(kinds)]
    assert shipped
    for name in shipped:
        assert f"`{name}`" in LISTED, name
