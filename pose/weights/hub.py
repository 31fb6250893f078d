"""Fetching weights from the Hugging Face Hub, and working without a connection.

Everything goes through `huggingface_hub`, so its cache, HF_ENDPOINT, HF_HUB_OFFLINE and tokens are
respected, and a download that breaks off is resumed. Added here: an answer within seconds when the
Hub cannot be reached, and one clear line for each failure.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from pose.errors import UserError
from pose.weights.hub_ids import OUR_FILE, SUFFIXES, HubSource, weights_among
from pose.weights.hub_requests import UnreachableError, ask, first_line, refusal, status_of

Progress = Callable[[int, "int | None", str], None]
"""Called during a download: bytes so far, bytes in all (None while unknown), the file's name."""

REQUEST_SECONDS = 4.0
"""Timeout of a request for a file's metadata."""

ATTEMPTS = 3
"""How often a download is started; each continues what the one before left."""


@dataclass(frozen=True)
class Fetched:
    """A file on this machine.

    Attributes:
        path: in the Hub's cache.
        source: with the file's name filled in.
        downloaded: whether it was fetched just now.
        notes: sentences for the user.
    """

    path: Path
    source: HubSource
    downloaded: bool
    notes: tuple[str, ...] = ()


def cached(source: HubSource) -> Path | None:
    """The file in the Hub's cache, without a connection; None where it is not there."""
    from huggingface_hub import snapshot_download, try_to_load_from_cache
    from huggingface_hub.errors import LocalEntryNotFoundError

    # A file of known content may also come from another revision than the pinned one.
    for revision in dict.fromkeys((source.revision, None if source.sha256 else source.revision)):
        if source.file is not None:
            found = try_to_load_from_cache(source.repo, source.file, revision=revision)
            if isinstance(found, str) and Path(found).is_file():
                return Path(found)
            continue
        try:
            folder = snapshot_download(source.repo, revision=revision, local_files_only=True)
        except LocalEntryNotFoundError:
            continue
        paths = [path for path in Path(folder).rglob("*") if path.is_file()]
        file = weights_among([path.relative_to(folder).as_posix() for path in paths])
        if file is not None:
            return Path(folder, file)
    return None


def fetch(source: HubSource, progress: Progress | None = None) -> Fetched:
    """Returns a file of the Hub, downloading it where the cache does not have it.

    Raises:
        UserError: it is neither in the cache nor can it be fetched; the message says why.
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
            note = f"The Hub cannot be reached ({error}); the copy fetched earlier was used."
            return Fetched(here, source, downloaded=False, notes=(note,))
        raise UserError(
            f"the Hub cannot be reached to fetch {source} ({error}); check the connection, or "
            "use weights that are here already (`python -m pose weights` lists them)"
        ) from None
    path = download(found, progress)
    return Fetched(path, found, downloaded=path != here)


def pinned(source: HubSource) -> bool:
    """Whether the revision is a commit, which never changes."""
    return bool(source.revision and re.fullmatch(r"[0-9a-f]{40}", source.revision))


def available(source: HubSource) -> HubSource:
    """Asks the Hub for the file; returns the source with its name and an existing revision.

    Raises:
        UnreachableError: no answer.
        UserError: the Hub refuses.
    """
    from huggingface_hub.errors import HfHubHTTPError

    if source.file is None:
        return replace(source, file=find_file(source))
    candidates = [source]
    if source.sha256 and source.revision:
        # A mirror may lack the pinned commit; the sha256 decides whether its main branch will do.
        candidates.append(replace(source, revision=None))
    for candidate in candidates:
        try:
            ask(partial(head, candidate))
            break
        except HfHubHTTPError as error:
            if candidate is candidates[-1] or status_of(error) != 404:
                raise refusal(error, candidate) from None
    return candidate


def find_file(source: HubSource) -> str:
    """The weights file of a repository, where the user named none."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import (
        HfHubHTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        ask(partial(head, replace(source, file=OUR_FILE)))
        return OUR_FILE
    except HfHubHTTPError as error:
        whole = isinstance(error, RepositoryNotFoundError | RevisionNotFoundError)
        if whole or status_of(error) != 404:
            raise refusal(error, source) from None
    try:
        api = HfApi(token=source.token)
        files = ask(partial(api.list_repo_files, source.repo, revision=source.revision))
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


def head(source: HubSource) -> Any:
    """The metadata of a file on the Hub."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.utils import get_token

    url = hf_hub_url(source.repo, source.file or OUR_FILE, revision=source.revision)
    token = False if source.anonymous else get_token()
    return get_hf_file_metadata(url, timeout=REQUEST_SECONDS, token=token)


def download(source: HubSource, progress: Progress | None) -> Path:
    """Fetches one file into the cache."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    file = source.file or OUR_FILE
    options: dict[str, Any] = {}
    if progress is not None and "tqdm_class" in inspect.signature(hf_hub_download).parameters:
        options["tqdm_class"] = reporting_bar(progress, file)
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            path = hf_hub_download(
                source.repo,
                file,
                revision=source.revision,
                etag_timeout=REQUEST_SECONDS,
                token=source.token,
                **options,
            )
            return Path(path)
        except HfHubHTTPError as error:
            raise refusal(error, source) from None
        except OSError as error:
            raise UserError(f"{source} could not be fetched: {first_line(error)}") from None
        except UserError:
            raise
        except Exception as error:
            # httpx's errors; not every version of huggingface_hub resumes by itself where the
            # server closed the connection.
            reason = first_line(error)
    raise UserError(f"the download of {source} broke off ({reason}); try again")


def reporting_bar(progress: Progress, name: str) -> type:
    """A progress bar for the terminal that also reports to `progress`."""
    from huggingface_hub.utils import tqdm

    class ReportingBar(tqdm):
        def update(self, n: float | None = 1) -> bool | None:
            # Counted here, because a disabled bar does not count.
            self.reported = getattr(self, "reported", self.initial or 0) + (n or 0)
            progress(int(self.reported), int(self.total) if self.total else None, name)
            return super().update(n)

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.initial = kwargs.get("initial", 0)
            self.total = kwargs.get("total")

    return ReportingBar
