"""The address of the page: tab, example, view, channel and stage, to open it at and to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gradio as gr
from gradio.events import Dependency

from page.events import QUIET, Updates
from page.photo.field_controls import channel_choices
from page.photo.layout import EXAMPLES, PhotoTab
from page.photo.pictures import HEATMAP, STAGES
from page.photo.views import PAF, SKELETONS, VIEWS

TABS = ("photo", "many", "video", "webcam", "code")


@dataclass(frozen=True)
class Address:
    """What an address asks for; what it does not name, or names wrongly, is the default."""

    tab: str = TABS[0]
    example: str = next(iter(EXAMPLES))
    view: str = SKELETONS
    channel: str = ""
    stage: int = STAGES


def address_of(request: gr.Request) -> Address:
    """The page's address, which its own requests carry as the referer."""
    query = urlsplit((request.headers or {}).get("referer") or "").query
    asked = {key: values[-1] for key, values in parse_qs(query).items()}
    known = {"tab": TABS, "example": EXAMPLES, "view": VIEWS}
    right = {key: asked[key] for key, names in known.items() if asked.get(key) in names}
    stage = asked.get("stage", "")
    number = int(stage) if stage in map(str, range(1, STAGES + 1)) else STAGES
    return Address(**right, channel=asked.get("channel", ""), stage=number)


def arrived_at(tab: PhotoTab, tabs: gr.Tabs, address: Address) -> Updates:
    """The controls as the address asks for."""
    fields = tab.controls.fields
    choices = channel_choices(PAF if address.view == PAF else HEATMAP)
    names = [name for _, name in choices]
    channel = address.channel if address.channel in names else names[0]
    return {
        tabs: gr.update(selected=address.tab),
        tab.canvas.views: address.view,
        fields.channel: gr.update(choices=choices, value=channel),
        fields.stage: address.stage,
    }


def arrive(opened: Dependency, tab: PhotoTab, tabs: gr.Tabs) -> None:
    """After `opened` the page is as its address asks for."""

    def arrived(request: gr.Request) -> Updates:
        return arrived_at(tab, tabs, address_of(request))

    def example(request: gr.Request) -> str:
        return EXAMPLES[address_of(request).example]

    fields = tab.controls.fields
    set_up = opened.then(
        arrived, None, [tabs, tab.canvas.views, fields.channel, fields.stage], **QUIET
    )
    # The photo comes last and is run as any new one, with the other controls as they are then.
    set_up.then(example, None, [tab.rail.photo], **QUIET)


REMEMBER = """(photo, view, channel, stage) => {
  const name = photo ? (photo.orig_name || photo.path).split("/").pop() : "";
  const example = EXAMPLES.find(known => name === known + ".jpg");
  const field = view === "heatmap" || view === "paf";
  posePage.address({example, view, channel: field ? channel : null, stage: field ? stage : null});
}"""


def remember(tab: PhotoTab, tabs: gr.Tabs) -> None:
    """Keeps the address up to date; only scripts of the browser do it."""
    fields = tab.controls.fields
    shown: list[Any] = [tab.rail.photo, tab.canvas.views, fields.channel, fields.stage]
    script = REMEMBER.replace("EXAMPLES", str(list(EXAMPLES)))
    gr.on([part.change for part in shown], None, shown, None, js=script, **QUIET)
    tabs.change(None, None, None, js="() => posePage.tab()", **QUIET)
