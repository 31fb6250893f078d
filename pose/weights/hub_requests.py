"""Short requests to the Hub, answered within seconds, and one clear line for each refusal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, TypeVar

from pose.errors import UserError

if TYPE_CHECKING:
    from pose.weights.hub_ids import HubSource

T = TypeVar("T")

PATIENCE_SECONDS = 6.0
"""How long the Hub may take before it counts as unreachable, name lookup included."""


class UnreachableError(Exception):
    """The Hub gave no answer; the message says what happened."""


def ask(request: Callable[[], T]) -> T:
    """Runs a short request in a thread, because a name lookup has no timeout of its own.

    Raises:
        HfHubHTTPError: the Hub refused.
        UnreachableError: no answer, or the server is broken.
    """
    from huggingface_hub.errors import HfHubHTTPError

    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(request())
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=run, name="hub", daemon=True).start()
    try:
        return answer.result(PATIENCE_SECONDS)
    except FutureTimeoutError:
        raise UnreachableError(f"no answer within {PATIENCE_SECONDS:.0f} s") from None
    except HfHubHTTPError as error:
        status = status_of(error)
        if status is not None and status >= 500:
            raise UnreachableError(f"it answered with status {status}") from None
        raise
    except Exception as error:
        raise UnreachableError(first_line(error)) from None


def status_of(error: Exception) -> int | None:
    """The HTTP status of a refusal; None where there was none."""
    return getattr(getattr(error, "response", None), "status_code", None)


def refusal(error: Exception, source: HubSource) -> UserError:
    """One line for a request that the Hub refused."""
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    status = status_of(error)
    no_file = f"{source.repo} has no file {source.file}; check the name"
    # Subclasses first.
    lines: tuple[tuple[type[Exception], str], ...] = (
        (LocalEntryNotFoundError, f"{source} could not be fetched: {first_line(error)}"),
        (
            GatedRepoError,
            f"{source.repo} asks for consent: accept its terms on its page on the Hub, log in "
            "with `hf auth login`, and try again",
        ),
        (
            RepositoryNotFoundError,
            f"there is no file, run or Hub repository {source.repo} (or it is private); check the "
            "name, or log in with `hf auth login`",
        ),
        (RevisionNotFoundError, f"{source.repo} has no revision {source.revision}; check the name"),
        (EntryNotFoundError, no_file),
    )
    for kind, line in lines:
        if isinstance(error, kind):
            return UserError(line)
    if status == 404 and source.file:
        return UserError(no_file)
    if status in (401, 403):
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
    return (" ".join(str(error).split()) or type(error).__name__)[:160]
