"""What Gradio does with the page's layout for everyone who opens it."""

from __future__ import annotations

import copy

import app
from page.models import Models


def test_the_layout_is_copied_without_the_networks(tmp_path):
    """Gradio copies it at every visit; a method in it would be copied with its object."""
    models = Models("cpu", tmp_path)
    layout = app.build(models).get_config_file()
    memo: dict[int, object] = {}
    copy.deepcopy(layout, memo)
    assert id(models) not in memo
