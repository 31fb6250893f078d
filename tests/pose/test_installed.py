"""`pip install .` in a fresh environment: the library, the command `pose` and the bundled files."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from places import EXAMPLES, ROOT

import pose

SOURCES = ("pose", "assets", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module", params=["installed", "editable"])
def environment(request, tmp_path_factory) -> Path:
    """A virtual environment with this project in it, and this interpreter's packages beside it."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp(request.param)
    checkout, target = folder / "checkout", folder / "venv"
    checkout.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, checkout / name)
    venv.create(target, symlinks=True)
    python = target / "bin" / "python"
    site = next(target.glob("lib/python*/site-packages"))
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))
    editable = ["--editable"] if request.param == "editable" else []
    options = ["-q", "--no-deps", "--no-build-isolation", "--no-index", *editable]
    run([sys.executable, "-m", "pip", "--python", python, "install", *options, checkout], folder)
    if not editable:
        shutil.rmtree(checkout)
    return target


def run(command: list, folder: Path) -> str:
    """Output of a command that must succeed, run outside of the checkout."""
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={**variables, "POSE_WEIGHTS_DIR": str(folder / "runs")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_finds_people_with_the_bundled_weights(environment, tmp_path):
    command = environment / "bin" / "pose"
    rows = run([command, "weights"], tmp_path).splitlines()
    assert any(row.startswith("mobilenet-thin ") and row.endswith("yes") for row in rows)
    shutil.copy(EXAMPLES / "grace-hopper.jpg", tmp_path / "photo.jpg")
    run([command, "detect", "photo.jpg", "--preset", "fast", "--output", "people.json"], tmp_path)
    people = json.loads((tmp_path / "people.json").read_text())
    assert people and all(len(person["keypoints"]) == 51 for person in people)


def test_the_library_knows_its_version_and_brings_the_photos(environment, tmp_path):
    code = (
        "import pose, importlib.metadata as m; from pose.files import EXAMPLES;"
        "print(pose.__version__, m.version('pose'), (EXAMPLES / 'astronaut.jpg').is_file())"
    )
    found = run([environment / "bin" / "python", "-c", code], tmp_path).split()
    assert found == [pose.__version__, pose.__version__, "True"]


def test_everything_the_library_imports_is_a_dependency():
    """The environment above borrows packages, and would not miss one."""
    tomllib = pytest.importorskip("tomllib")  # of Python 3.11
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {re.split(r"[^\w.-]", line)[0].lower() for line in project["dependencies"]}
    imported = {
        name.split(".")[0]
        for path in (ROOT / "pose").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in imported_names(node)
    }
    packages = packages_distributions()
    foreign = imported - set(sys.stdlib_module_names) - {"pose", "pillow_heif"}  # a plugin
    for name in foreign:
        assert {package.lower().replace("_", "-") for package in packages[name]} & named, name
    assert len(foreign) > 8


def imported_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
