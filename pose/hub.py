"""Weights on the Hugging Face Hub: finding them, fetching them, and doing without.

Everything goes through `huggingface_hub`, so its cache, HF_ENDPOINT, HF_HUB_OFFLINE and tokens are
respected, and a connection that breaks is taken up again where it broke. What is added here: an
answer within seconds when the Hub cannot be reached, and one clear line for each failure.
"""

from __future__ import annotations

import inspect
import os
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pose.errors import UserError

T = TypeVar("T")

Progress = Callable[[int, "int | None", str], None]
"""Told of a download: bytes so far, bytes in all (None while unknown), the file's name."""

REQUEST_SECONDS = 4.0
"""Patience with one request for a file's metadata."""

PATIENCE_SECONDS = 6.0
"""Patience with the Hub before it counts as out of reach, name lookup included."""

ATTEMPTS = 3
"""How often a download is begun; each goes on with what the one before it left."""

OUR_FILE = "weights.safetensors"
PREFERRED_FILES = (OUR_FILE, "model.safetensors", "body_pose_model.pth", "pose_model.pth")
"""Which file of a repository is meant when none is named, first that exists."""

SUFFIXES = (".safetensors", ".pth", ".pt", ".npz", ".bin")

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
        anonymous: ask without this machine's Hub token, because a stranger named the repository.
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


@dataclass(frozen=True)
class Fetched:
    """A file that is here now.

    Attributes:
        path: in the Hub's cache.
        source: with the file that was meant filled in.
        downloaded: whether it was fetched just now.
        notes: sentences for the user.
    """

    path: Path
    source: HubSource
    downloaded: bool
    notes: tuple[str, ...] = ()


class UnreachableError(Exception):
    """The Hub gave no answer; the message says what happened."""


def parse_hub_id(name: str) -> HubSource | None:
    """owner/repo, owner/repo@revision, owner/repo/file, and both; None where it is no such id."""
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    match = ID.fullmatch(name)
    if match is None or ".." in name:
        return None
    found = match.groupdict()
    if found["file"] and not all(found["file"].split("/")):
        return None  # o/r//etc/x would be read as the path /etc/x of this machine
    if found["file"] is None and found["repo"].endswith(SUFFIXES):
        return None  # a path of a file in a folder, rather than a repository
    if found["revision"] and found["late"]:
        return None
    repo = f"{found['owner']}/{found['repo']}"
    try:
        validate_repo_id(repo)
    except HFValidationError:
        return None
    return HubSource(
        repo,
        found["file"],
        found["revision"] or found["late"],
    )


def cached(source: HubSource) -> Path | None:
    """The file in the Hub's cache, without the network; None where it is not there."""
    from huggingface_hub import try_to_load_from_cache

    # A pinned revision is looked for first, then whatever the main branch was last time.
    for revision in dict.fromkeys((source.revision, None)):
        if revision is None and source.revision and source.sha256 is None:
            break  # the user asked for this revision and no other
        if source.file is None:
            found = cached_snapshot_file(replace(source, revision=revision))
        else:
            found = try_to_load_from_cache(source.repo, source.file, revision=revision)
        if isinstance(found, str | Path) and Path(found).is_file():
            return Path(found)
    return None


def cached_snapshot_file(source: HubSource) -> Path | None:
    """The weights among the cached files of a repository."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"models--{source.repo.replace('/', '--')}"
    revision = source.revision or "main"
    reference = folder / "refs" / revision
    if reference.is_file():
        revision = reference.read_text().strip()
    snapshot = folder / "snapshots" / revision
    if not snapshot.is_dir():
        return None
    files = [str(p.relative_to(snapshot).as_posix()) for p in snapshot.rglob("*") if p.is_file()]
    file = weights_among(files)
    return snapshot / file if file else None


def fetch(source: HubSource, progress: Progress | None = None) -> Fetched:
    """Makes sure that a file is here, downloading it where it is not.

    Raises:
        UserError: it is neither here nor to be had; the message says why.
    """
    from huggingface_hub import constants

    here = cached(source)
    offline = constants.HF_HUB_OFFLINE
    if here is not None and (offline or pinned(source)):
        return Fetched(here, source, downloaded=False)
    if offline:
        raise UserError(
            f"{source} is not on this machine and the Hub is switched off (HF_HUB_OFFLINE); "
            "fetch it once with a connection, or give a file"
        )
    try:
        found = available(source)
    except UnreachableError as error:
        if here is not None:
            note = f"The Hub cannot be reached ({error}); the copy fetched earlier was taken."
            return Fetched(here, source, downloaded=False, notes=(note,))
        raise UserError(
            f"the Hub cannot be reached to fetch {source} ({error}); check the connection, or "
            "use weights that are here already (`python -m pose weights` lists them)"
        ) from None
    path = download(found, progress)
    return Fetched(path, found, downloaded=here is None or path != here)


def pinned(source: HubSource) -> bool:
    """Whether the revision is a commit, which never changes."""
    return bool(source.revision and re.fullmatch(r"[0-9a-f]{40}", source.revision))


def available(source: HubSource) -> HubSource:
    """Asks the Hub whether the file is there; fills in its name, or the branch to take it from.

    Raises:
        UnreachableError: no answer.
        UserError: the Hub says no.
    """
    from huggingface_hub.errors import HfHubHTTPError

    if source.file is None:
        return replace(source, file=find_file(source))
    try:
        ask(lambda: head(source), source)
        return source
    except HfHubHTTPError as error:
        if not (source.sha256 and source.revision and is_missing(error)):
            raise refusal(error, source) from None
    # A mirror may lack the pinned commit; the sha256 tells whether its main branch will do.
    source = replace(source, revision=None)
    try:
        ask(lambda: head(source), source)
    except HfHubHTTPError as error:
        raise refusal(error, source) from None
    return source


def is_missing(error: Exception) -> bool:
    """Whether the answer was that there is no such thing; mirrors say so by the status alone."""
    return getattr(getattr(error, "response", None), "status_code", None) == 404


def find_file(source: HubSource) -> str:
    """The weights file of a repository whose user named none."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        HfHubHTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        ask(lambda: head(replace(source, file=OUR_FILE)), source)
        return OUR_FILE
    except HfHubHTTPError as error:
        whole = isinstance(error, RepositoryNotFoundError | RevisionNotFoundError)
        if whole or not is_missing(error):
            raise refusal(error, source) from None
    try:
        api = HfApi(token=source.token)
        files = ask(lambda: api.list_repo_files(source.repo, revision=source.revision), source)
    except HfHubHTTPError as error:
        raise refusal(error, source) from None
    file = weights_among(files)
    if file is None:
        some = [f for f in files if f.endswith(SUFFIXES)] or files
        raise UserError(
            f"{source} has no file that is clearly the weights; name one of its files as "
            f"{source.repo}/FILE ({', '.join(some[:6]) or 'it is empty'})"
        )
    return file


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


def head(source: HubSource) -> Any:
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils import get_token

    url = hf_hub_url(source.repo, source.file or OUR_FILE, revision=source.revision)
    token = False if source.anonymous else get_token()
    return get_hf_file_metadata(url, timeout=REQUEST_SECONDS, token=token)


def ask(request: Callable[[], T], source: HubSource) -> T:
    """Runs a short request; errors with an answer pass, silence becomes `UnreachableError`.

    It runs in a thread, because a name lookup has no timeout of its own.
    """
    from huggingface_hub.errors import HfHubHTTPError

    outcome: list[tuple[T | None, Exception | None]] = []

    def run() -> None:
        try:
            outcome.append((request(), None))
        except Exception as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run, name=f"hub {source}", daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    if not outcome:
        raise UnreachableError(f"no answer within {PATIENCE_SECONDS:.0f} s")
    value, error = outcome[0]
    if error is None:
        return value  # type: ignore[return-value]
    if isinstance(error, HfHubHTTPError):
        status = getattr(error.response, "status_code", None)
        if status is not None and status >= 500:
            raise UnreachableError(f"its answer was status {status}") from None
        raise error
    raise UnreachableError(first_line(error)) from None


def download(source: HubSource, progress: Progress | None) -> Path:
    """Fetches one file into the cache; a broken connection is resumed by `huggingface_hub`."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    options: dict[str, Any] = {}
    if progress is not None and "tqdm_class" in inspect.signature(hf_hub_download).parameters:
        options["tqdm_class"] = reporting_bar(progress, source.file or "")
    broken: Exception | None = None
    for _ in range(ATTEMPTS):
        try:
            return Path(
                hf_hub_download(
                    source.repo,
                    source.file,
                    revision=source.revision,
                    etag_timeout=REQUEST_SECONDS,
                    token=source.token,
                    **options,
                )
            )
        except HfHubHTTPError as error:
            raise refusal(error, source) from None
        except OSError as error:
            raise UserError(f"{source} could not be fetched: {first_line(error)}") from None
        except UserError:
            raise
        except Exception as error:
            # httpx's errors, whose package differs between versions of huggingface_hub; not every
            # version goes on by itself where the other side closed the connection.
            broken = error
    raise UserError(f"the download of {source} broke off ({first_line(broken)}); try again")


def reporting_bar(progress: Progress, name: str) -> type:
    """A progress bar for the terminal that also tells `progress`."""
    from huggingface_hub.utils import tqdm

    class ReportingBar(tqdm):
        def update(self, n: float | None = 1) -> bool | None:
            # Counted here, because a switched-off bar does not count.
            self.reported = getattr(self, "reported", self.initial or 0) + (n or 0)
            progress(int(self.reported), int(self.total) if self.total else None, name)
            return super().update(n)

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.initial = kwargs.get("initial", 0)
            self.total = kwargs.get("total")

    return ReportingBar


def refusal(error: Exception, source: HubSource) -> UserError:
    """One line for a Hub that says no."""
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, LocalEntryNotFoundError):  # the Hub's answer could not be understood
        return UserError(f"{source} could not be fetched: {first_line(error)}")
    if isinstance(error, GatedRepoError):
        return UserError(
            f"{source.repo} asks for consent: accept its terms on its page on the Hub, log in "
            "with `hf auth login`, and try again"
        )
    if isinstance(error, RepositoryNotFoundError):
        return UserError(
            f"there is no file, run or Hub repository {source.repo} (or it is private); check the "
            "name, or log in with `hf auth login`"
        )
    if isinstance(error, RevisionNotFoundError):
        return UserError(f"{source.repo} has no revision {source.revision}; check the name")
    if isinstance(error, EntryNotFoundError) or (status == 404 and source.file):
        return UserError(f"{source.repo} has no file {source.file}; check the name")
    if isinstance(error, HfHubHTTPError) and status in (401, 403):
        return UserError(
            f"the Hub refuses {source} (status {status}); log in with `hf auth login`, or check "
            "that your token may read it"
        )
    if status is not None:
        return UserError(f"the Hub answered {source} with status {status}; try again later")
    return UserError(f"{source} could not be fetched: {first_line(error)}")


def first_line(error: BaseException) -> str:
    """The innermost cause in one short line."""
    while error.__cause__ is not None:
        error = error.__cause__
    words = " ".join(str(error).split())
    return (words or type(error).__name__)[:160]


def own_endpoint() -> bool:
    """Whether the user set another place than the official Hub."""
    return bool(os.environ.get("HF_ENDPOINT"))
