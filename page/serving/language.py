"""`?lang=ko` in the address: the page's language, before Gradio's own scripts look for one.

Gradio takes the language from the browser's `navigator` as soon as its scripts load, and adds
what `launch(head=…)` is given only later. So the first answer, the HTML, is changed on its way.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from page.i18n.labels import LANGUAGES

HEAD = b"<head>"

SCRIPT = """<script>
Object.defineProperty(navigator, "language", {{ get: () => "{language}" }});
Object.defineProperty(navigator, "languages", {{ get: () => ["{language}"] }});
document.documentElement.lang = "{language}";
</script>"""


class AskedLanguage:
    """ASGI middleware that puts `SCRIPT` into the HTML where a known language is asked for."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        language = asked_language(scope)
        if language is None:
            await self.app(scope, receive, send)
            return
        # The answer must not be packed, or it could not be changed.
        headers = [(k, v) for k, v in scope["headers"] if k.lower() != b"accept-encoding"]
        script = HEAD + SCRIPT.format(language=language).encode()
        start: dict[str, Any] = {}
        body = bytearray()

        async def changed(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            whole = bytes(body).replace(HEAD, script, 1)
            kept = [(k, v) for k, v in start["headers"] if k.lower() != b"content-length"]
            length = (b"content-length", str(len(whole)).encode())
            await send({**start, "headers": [*kept, length]})
            await send({"type": "http.response.body", "body": whole})

        await self.app({**scope, "headers": headers}, receive, changed)


def asked_language(scope: dict[str, Any]) -> str | None:
    """The language of a request for the page itself; None for any other request."""
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].endswith("/"):
        return None
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("lang", [""])[-1]
    return asked if asked in LANGUAGES else None
