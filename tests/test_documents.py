"""Every command and every Python block of the documents: run where that is quick, else parsed."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest
from places import EXAMPLES, ROOT

from pose import __version__

DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("assets/**/*.md")],
    key=lambda path: (path.parent != ROOT, path),
)

RUN = ("python -m pose detect assets/examples", "python -m pose weights", "python -m pose summary")
"""Beginnings of commands that need no network, no COCO and no hours."""

OURS = re.compile(
    r"(python app\.py|python -m (pose|train|benchmark)\b|pose |torchrun |accelerate )"
)
"""Beginnings of commands of this project; those of other programs are what `.ci/run` runs."""


@dataclass(frozen=True)
class Command:
    """A command line as a document has it."""

    document: Path
    text: str


def blocks(document: Path) -> Iterator[tuple[str, str]]:
    """The language and the text of each fenced block."""
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", document.read_text("utf-8"), re.M | re.S):
        yield match[1], match[2]


def commands(document: Path) -> Iterator[str]:
    """Commands in blocks, and those in backticks in the text and its tables."""
    text = document.read_text("utf-8")
    for language, block in blocks(document):
        if language in ("bash", ""):
            for line in block.replace("\\\n", " ").splitlines():
                yield from re.split(r"\s+&&\s+", line)
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    yield from re.findall(r"`(python [^`]+)`", prose)


def documented() -> list[Command]:
    found = {}
    for document in DOCUMENTS:
        for text in commands(document):
            text = re.sub(r"\s+#.*$", "", text).strip()
            text = re.sub(r"^(\w+=\S+ )+", "", text)
            if OURS.match(text):
                found.setdefault(text, Command(document, text))
    return list(found.values())


class Parsed(Exception):
    """A command line was understood."""


def parse(module: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a program read its command line, and nothing more."""
    real = argparse.ArgumentParser.parse_args

    def parse_only(self, args=None, namespace=None):
        real(self, args, namespace)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
    with pytest.raises(Parsed):
        import_module(module).main(arguments)


@pytest.mark.parametrize("command", documented(), ids=lambda command: command.text[:80])
def test_every_command_is_understood(command, monkeypatch, capsys):
    """Programs take the options that the documents give them."""
    words = [word for word in shlex.split(command.text) if word != "..."]
    if words[0] in ("torchrun", "accelerate"):
        words = ["python", *words[words.index("-m") :]]
    if words[0] == "pose":
        words = ["python", "-m", *words]
    module, arguments = (
        (words[2], words[3:]) if words[1] == "-m" else (words[1].removesuffix(".py"), words[2:])
    )
    if module in ("pose", "train", "benchmark"):
        module += ".__main__"
    if not arguments or arguments[0] == "--help":
        assert callable(import_module(module).main)
        return
    try:
        parse(module, arguments, monkeypatch)
    except SystemExit:
        pytest.fail(f"{command.document.name}: {command.text}\n{capsys.readouterr().err}")


@pytest.mark.parametrize(
    "command",
    [command for command in documented() if command.text.startswith(RUN)],
    ids=lambda command: command.text[:80],
)
def test_quick_commands_run(command, tmp_path):
    words = [
        str(tmp_path / word) if word.startswith("outputs/") else word
        for word in shlex.split(command.text)
    ]
    done = subprocess.run([sys.executable, *words[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in (word for word in words if word.endswith(".json")):
        assert json.loads(Path(name).read_text())
    assert done.stdout or any(tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "document",
    [document for document in DOCUMENTS if any(kind == "python" for kind, _ in blocks(document))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_python_blocks_run(document, tmp_path):
    code = "".join(block for language, block in blocks(document) if language == "python")
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    (tmp_path / "photo.jpg").symlink_to(next(EXAMPLES.glob("*.jpg")))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    text = document.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (document.parent / target).exists(), target


def test_no_table_cell_is_a_paragraph():
    for document in ROOT.glob("README*.md"):
        for line in document.read_text("utf-8").splitlines():
            for cell in line.strip("|").split("|") if line.startswith("|") else ():
                assert len(cell.split()) <= 20, f"{document.name}: {cell}"


def test_the_citation_has_the_version():
    assert f"version: {__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
