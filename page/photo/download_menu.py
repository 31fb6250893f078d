"""The menu of files at the corner of the canvas."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import quote

import gradio as gr

from page.events import PRIVATE, Updates, Values
from page.i18n.labels import language_of
from page.photo.canvas import Shown, is_field
from page.photo.downloads import Wanted, write_file
from page.photo.layout import PhotoTab
from page.photo.session import Session
from page.photo.views import HEATMAP
from pose import UserError


class DownloadEvents:
    """Makes the file that is chosen; `fail` makes the updates that show a user's mistake."""

    def __init__(self, tab: PhotoTab, fail: Callable[[Values, UserError, str], Updates]) -> None:
        self.tab = tab
        self.fail = fail

    def connect(self, viewing: set[Any]) -> None:
        menu, link = self.tab.downloads.menu, self.tab.downloads.link
        menu.input(
            self.download,
            {menu, *viewing},
            [menu, link, self.tab.canvas.status],
            show_progress_on=[menu],
            **PRIVATE,
        )

    def download(self, values: Values, request: gr.Request) -> Updates:
        """The file that was chosen, made now; a script follows its link."""
        tab = self.tab
        session: Session | None = values[tab.session]
        kind, language = values[tab.downloads.menu], language_of(request)
        done: Updates = {tab.downloads.menu: "", tab.downloads.link: ""}
        if session is None or not kind:
            return done
        shown = Shown(tab, session, values, language)
        view = shown.view.name
        wanted = Wanted(
            kind,
            shown.second,
            shown.settings,
            tab.controls.fields.choice(values, view if is_field(view) else HEATMAP),
            values[tab.controls.size],
        )
        try:
            path = write_file(session, wanted)
        except UserError as error:
            return {**done, **self.fail(values, error, language)}
        name = escape(path.name)
        link = f'<a href="gradio_api/file={quote(str(path))}" download="{name}">{name}</a>'
        return {**done, tab.downloads.link: link}
