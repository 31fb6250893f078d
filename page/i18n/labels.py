"""The page's texts in the visitor's language.

Labels are translated in the browser by Gradio from `TRANSLATIONS`; sentences that are put
together on the server (status, tables) are made here with `say`. The language is `?lang=ko` or
`?lang=en` in the address, otherwise the browser's.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import gradio as gr

from page.i18n.texts import TEXTS

LANGUAGES = ("en", "ko")

TRANSLATIONS = gr.I18n(
    **{language: {k: v[i] for k, v in TEXTS.items()} for i, language in enumerate(LANGUAGES)}
)
"""Given to `launch(i18n=…)`."""


def label(key: str) -> gr.i18n.I18nData:
    """A text that the browser translates."""
    return TRANSLATIONS(key)


def language_of(request: gr.Request | None) -> str:
    """The visitor's language: the address's `lang`, else the browser's first, else English."""
    if request is None:
        return "en"
    headers = request.headers or {}
    # The page's own requests carry its address as the referer.
    address = parse_qs(urlsplit(headers.get("referer") or "").query)
    asked = (request.query_params or {}).get("lang") or address.get("lang", [""])[-1]
    if asked in LANGUAGES:
        return asked
    header = headers.get("accept-language") or ""
    return "ko" if header.strip().lower().startswith("ko") else "en"


def say(key: str, language: str = "en", **values: object) -> str:
    """A sentence of `TEXTS` with its values filled in."""
    return TEXTS[key][LANGUAGES.index(language)].format(**values)


def keypoint_name(index: int, language: str = "en") -> str:
    """A keypoint's name; 18 is the background."""
    return say(f"keypoint_{index}", language)
