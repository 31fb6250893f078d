"""Taking secrets out of texts that people see or files keep."""

from __future__ import annotations

import os
import re

HIDDEN = "***"

TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")

PATTERNS = (
    re.compile(r"(?<=://)[^/\s@]+(?=@)"),  # user:password of an address
    re.compile(r"(?<=\bhf_)[A-Za-z0-9]{20,}"),  # tokens of the Hub
    re.compile(r"(?i)(?<=\bbearer )\S+"),
    re.compile(r"(?i)(?<=[?&])((?:[\w-]*(?:token|key|signature|secret|password))=)[^&\s'\"]+"),
)


def redacted(text: str) -> str:
    """The text without passwords, tokens and signatures."""
    for variable in TOKEN_VARIABLES:
        value = os.environ.get(variable, "")
        if len(value) >= 6:
            text = text.replace(value, HIDDEN)
    for pattern in PATTERNS:
        text = pattern.sub(lambda found: (found[1] if found.re.groups else "") + HIDDEN, text)
    return text
