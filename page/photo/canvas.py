"""What the canvas and its controls show of a session."""

from __future__ import annotations

from typing import Any

import gradio as gr

from page.components import crisp
from page.editor.value import editor_value
from page.events import Updates, Values
from page.i18n.labels import say
from page.photo.comparison_table import comparison_html
from page.photo.differences import differences
from page.photo.field_controls import field_legend
from page.photo.layout import PhotoTab
from page.photo.people_table import COLUMNS, people_rows
from page.photo.pictures import Layer, draw_black, draw_comparison, draw_layer, draw_side
from page.photo.session import Session, Side
from page.photo.status import Remarks, status
from page.photo.views import BLACK, COMPARE, CORRECT, DIFFERENCES, HIDDEN, PAF, SLIDER, VIEWS
from pose.drawing import DrawSettings


def looks_at(tab: PhotoTab) -> set[Any]:
    """The inputs of every event that shows a session."""
    controls = tab.controls
    return {
        tab.session,
        tab.canvas.views,
        tab.rail.preset,
        controls.side,
        controls.size,
        controls.mode,
        controls.weights.a,
        controls.weights.b,
        *controls.drawing.all,
        *controls.fields.inputs,
        *tab.below.thresholds.all.values(),
    }


def shows(tab: PhotoTab) -> list[Any]:
    """Its outputs."""
    controls = tab.controls
    return [
        tab.session,
        tab.canvas.status,
        tab.canvas.views,
        *tab.canvas.pictures,
        *controls.groups.values(),
        controls.side,
        controls.mode,
        controls.numbers,
        controls.drawing.highlight,
        controls.drawing.legend,
        controls.fields.channel,
        controls.fields.legend,
        tab.below.table,
    ]


class Shown:
    """One look at a session: the values of the controls, and what follows from them."""

    def __init__(
        self, tab: PhotoTab, session: Session, values: Values, language: str, problem: str = ""
    ) -> None:
        self.tab = tab
        self.session = session
        self.values = values
        self.language = language
        self.view = VIEWS[values[tab.canvas.views]]
        self.settings: DrawSettings = tab.controls.drawing.settings(values)
        self.problem = problem

    @property
    def second(self) -> bool:
        """Whether B is looked at."""
        chosen = self.values[self.tab.controls.side] == "B" and self.view.name != CORRECT
        return self.session.b is not None and chosen

    @property
    def side(self) -> Side:
        return self.session.b if self.second and self.session.b else self.session.a

    @property
    def asked(self) -> tuple[str, str]:
        menu = self.tab.controls.weights
        return self.values[menu.a] or "", self.values[menu.b] or ""

    @property
    def stale(self) -> bool:
        """Whether a setting has changed since the network ran."""
        a, b = self.asked
        session = self.session
        other_b = self.view.name == COMPARE and session.b is not None and b != session.b.key
        preset = self.values[self.tab.rail.preset]
        return a != session.a.key or preset != session.preset or other_b

    def status(self) -> str:
        a, b = self.asked
        same = self.view.name == COMPARE and a == b
        problem = self.problem or (self.session.problem if self.view.name == COMPARE else "")
        return status(self.session, self.language, Remarks(self.stale, same, problem))

    def updates(self) -> Updates:
        """The values of everything that shows the session."""
        tab, session, language = self.tab, self.session, self.language
        drawing, side = tab.controls.drawing, self.side
        most = max(len(s.result.people) for s in session.sides)
        only = self.settings.highlight or 0
        return {
            tab.session: session,
            tab.canvas.status: self.status(),
            **self.pictures(),
            **self.groups(),
            tab.controls.side: gr.update(
                visible=(session.b is not None and self.view.name not in (COMPARE, CORRECT))
                or HIDDEN
            ),
            tab.controls.mode: gr.update(info=self.differing()),
            tab.controls.numbers: comparison_html(session, language),
            drawing.highlight: drawing.people_choices(most, self.settings),
            drawing.legend: drawing.legend_of(self.settings, language),
            tab.below.table: {
                "headers": [say(f"col_{name}", language) for name in COLUMNS],
                "data": people_rows(session.labelled_of(side), language, only),
            },
        }

    def differing(self) -> str:
        """The legend of the differing keypoints, where they are shown."""
        a, b = self.session.a, self.session.b
        mode = self.values[self.tab.controls.mode]
        if b is None or self.view.name != COMPARE or mode != DIFFERENCES:
            return ""
        count = len(differences(a.result.people, b.result.people))
        return say("differing", self.language, count=count)

    def groups(self) -> Updates:
        """The groups of controls that belong to the view."""
        return {
            group: gr.update(visible=name in self.view.controls or HIDDEN)
            for name, group in self.tab.controls.groups.items()
        }

    def pictures(self) -> Updates:
        """The one picture of the view; the others are hidden."""
        canvas, controls = self.tab.canvas, self.tab.controls
        mode = self.values[controls.mode]
        target: Any = getattr(canvas, self.view.canvas)
        more: Updates = {}
        value: Any
        if target is canvas.field_map:
            layer = self.layer()
            value = crisp(layer.picture)
            choice = controls.fields.choice(self.values, self.view.name)
            more = {
                controls.fields.channel: controls.fields.channel_update(choice),
                controls.fields.legend: field_legend(choice.kind, layer.high, self.language),
            }
        elif target is canvas.comparison and mode != SLIDER:
            target = canvas.picture
            value = crisp(draw_comparison(self.session, mode, self.settings))
        elif target is canvas.comparison:
            drawn = [crisp(draw_side(self.session, s, self.settings)) for s in self.session.sides]
            value = drawn[0], drawn[1] if len(drawn) > 1 else crisp(self.session.shown)
        elif target is canvas.board:
            value = editor_value(self.session, self.language)
        elif self.view.name == BLACK:
            value = crisp(draw_black(self.side, self.values[controls.size]))
        else:
            value = crisp(draw_side(self.session, self.side, self.settings))
        hidden = {p: gr.update(visible=HIDDEN) for p in canvas.pictures if p is not target}
        return {**hidden, target: gr.update(value=value, visible=True), **more}

    def layer(self) -> Layer:
        """The field of the view at the chosen opacity."""
        fields = self.tab.controls.fields
        choice = fields.choice(self.values, self.view.name)
        return draw_layer(self.session, self.side, choice, self.values[fields.opacity])


def is_field(view: str) -> bool:
    """Whether a view shows what the network computed."""
    return VIEWS[view].canvas == VIEWS[PAF].canvas
