"""The drop-downs of weights A and B: what they offer and what is known about the choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.i18n import I18nData

from page.events import PRIVATE, Updates
from page.i18n.labels import label, language_of
from page.models import NO_WEIGHTS, Models
from page.photo.status import weights_label, weights_note
from pose import WeightsCard

Choices = list[tuple[str | I18nData, str]]


def weights_choices(
    models: Models, own: Mapping[str, WeightsCard] | None = None, *, optional: bool = False
) -> Choices:
    """What a weights drop-down offers: label and name, or key of the visitor's own."""
    choices: Choices = [(weights_label(card), card.name) for card in models.cards()]
    choices += [(weights_label(card), key) for key, card in (own or {}).items()]
    return [(label("none"), NO_WEIGHTS), *choices] if optional else choices


@dataclass(frozen=True)
class WeightsMenu:
    """The components."""

    a: gr.Dropdown
    b: gr.Dropdown
    note: gr.Markdown
    refresh: gr.Button


def weights_menu(models: Models) -> WeightsMenu:
    """Builds the drop-downs inside the open `gr.Blocks`."""
    first, second = models.default_pair()
    with gr.Row():
        a = gr.Dropdown(
            weights_choices(models),
            value=first,
            label=label("weights_a"),
            elem_id="weights-a",
            min_width=260,
        )
        b = gr.Dropdown(
            weights_choices(models, optional=True),
            value=second,
            label=label("weights_b"),
            elem_id="weights-b",
            min_width=260,
        )
    with gr.Row(elem_id="weights-line"):
        note = gr.Markdown(elem_classes="hint", elem_id="weights-note")
        refresh = gr.Button(label("refresh"), size="sm", scale=0, min_width=120, elem_id="refresh")
    return WeightsMenu(a, b, note, refresh)


class WeightsEvents:
    """Fills the drop-downs and describes what is chosen."""

    def __init__(self, menu: WeightsMenu, models: Models) -> None:
        self.menu = menu
        self.models = models

    def connect(self, demo: gr.Blocks, kept: gr.State) -> Any:
        """Connects the drop-downs; returns the event that fills them when the page is opened."""
        menu, pair = self.menu, [self.menu.a, self.menu.b]
        # A run that finished since the server started is offered after a reload.
        filled = demo.load(self.fill, None, pair, show_progress="hidden", **PRIVATE)
        menu.refresh.click(self.refresh, [kept, *pair], pair, **PRIVATE)
        for trigger in (filled.then, menu.a.change, menu.b.change):
            trigger(self.describe, pair, [menu.note], show_progress="hidden", **PRIVATE)
        return filled

    def fill(self) -> Updates:
        """The catalogue, for a page that has just been opened."""
        return self.refresh((), *self.models.default_pair())

    def refresh(self, kept: tuple[str, ...] | None, weights_a: str, weights_b: str) -> Updates:
        """The catalogue and the visitor's own; what was chosen stays if it is still there."""
        own = {key: self.models.own[key].card for key in kept or () if key in self.models.own}
        names = [*(card.name for card in self.models.cards()), *own]
        first, second = self.models.default_pair()
        return {
            self.menu.a: gr.update(
                choices=weights_choices(self.models, own),
                value=weights_a if weights_a in names else first,
            ),
            self.menu.b: gr.update(
                choices=weights_choices(self.models, own, optional=True),
                value=weights_b if weights_b in (NO_WEIGHTS, *names) else second,
            ),
        }

    def describe(self, request: gr.Request, weights_a: str, weights_b: str) -> str:
        """What is known about the chosen weights, before they are used."""
        chosen = dict.fromkeys(filter(None, (weights_a, weights_b)))
        cards = [card for card in self.models.cards() if card.name in chosen]
        own = [self.models.own[key].card for key in chosen if key in self.models.own]
        return weights_note([*cards, *own], language_of(request))
