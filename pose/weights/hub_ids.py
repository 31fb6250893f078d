"""Names of files on the Hugging Face Hub, and which file of a repository is the weights."""

from __future__ import annotations

import re
from dataclasses import dataclass

OUR_FILE = "weights.safetensors"
PREFERRED_FILES = (OUR_FILE, "model.safetensors", "body_pose_model.pth", "pose_model.pth")
"""Which file of a repository to take when none is named; the first that exists."""

SUFFIXES = (".safetensors", ".pth", ".pt", ".pth.tar", ".ckpt", ".npz", ".bin")

ID = re.compile(
    r"(?P<owner>[A-Za-z0-9][\w.-]*)/(?P<repo>[A-Za-z0-9][\w.-]*)"
    r"(?:@(?P<revision>refs/[\w.-]+/[\w.-]+|[\w.-]+))?(?:/(?P<file>[\w./ +-]+))?"
    r"(?:@(?P<late>[\w.-]+))?"
)


@dataclass(frozen=True)
class HubSource:
    """A file on the Hub.

    Attributes:
        repo: "owner/name".
        file: path in the repository; None to look for the weights.
        revision: commit, branch or tag; None for the main branch.
        sha256: of the file's content, where it is known.
        anonymous: ask without this machine's Hub token, as a stranger named the repository.
    """

    repo: str
    file: str | None = None
    revision: str | None = None
    sha256: str | None = None
    anonymous: bool = False

    @property
    def token(self) -> bool | None:
        """What `huggingface_hub` takes as a token: its own choice, or none."""
        return False if self.anonymous else None

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        return f"{self.repo}{revision}" + (f"/{self.file}" if self.file else "")


def parse_hub_id(name: str) -> HubSource | None:
    """owner/repo, owner/repo@revision, owner/repo/file, and both; None for anything else."""
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    match = ID.fullmatch(name)
    if match is None or ".." in name:
        return None
    found = match.groupdict()
    if found["file"] and not all(found["file"].split("/")):
        return None  # o/r//etc/x would become the path /etc/x
    if found["file"] is None and found["repo"].endswith(SUFFIXES):
        return None  # a path of a file in a folder, rather than a repository
    if found["revision"] and found["late"]:
        return None
    repo = f"{found['owner']}/{found['repo']}"
    try:
        validate_repo_id(repo)
    except HFValidationError:
        return None
    return HubSource(repo, found["file"], found["revision"] or found["late"])


def weights_among(files: list[str]) -> str | None:
    """The file that must be the weights: a known name, or the only one of its kind."""
    for name in PREFERRED_FILES:
        if name in files:
            return name
    for suffix in SUFFIXES:
        fitting = [file for file in files if file.endswith(suffix)]
        if len(fitting) == 1:
            return fitting[0]
    return None
