"""The one exception for a user's mistake, and what its message may hold."""

from __future__ import annotations

import os
import re

HIDDEN = "***"

TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")

SECRETS = (
    re.compile(r"(?<=://)[^/\s@]+(?=@)"),  # user:password of a URL
    re.compile(r"(?<=\bhf_)[A-Za-z0-9]{20,}"),  # tokens of the Hub
    re.compile(r"(?i)(?<=\bbearer )\S+"),
    re.compile(r"(?i)(?<=[?&])((?:[\w-]*(?:token|key|signature|secret|password))=)[^&\s'\"]+"),
)


class UserError(ValueError):
    """Something the user gave cannot be used.

    The message is one line that says what was wrong and what to do; secrets in it are hidden.
    Commands print it and exit with status 2, the page shows it as a toast.
    """

    def __init__(self, message: object = "") -> None:
        super().__init__(printable(redacted(str(message))))


def printable(text: str) -> str:
    """The text with a question mark for every character that a terminal would not show."""
    return "".join(c if c.isprintable() else "?" for c in text)


def display(name: object, longest: int = 60) -> str:
    """A name from outside as it may appear in a message: printable, shortened in the middle."""
    text = printable(str(name))
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[: half - 1]}…{text[half - longest :]}"


def redacted(text: str) -> str:
    """The text without passwords, tokens and signatures."""
    for variable in TOKEN_VARIABLES:
        value = os.environ.get(variable, "")
        if len(value) >= 6:
            text = text.replace(value, HIDDEN)
    for pattern in SECRETS:
        text = pattern.sub(lambda found: (found[1] if found.re.groups else "") + HIDDEN, text)
    return text
