"""What the first visitor would otherwise wait for, done after the page has started."""

from __future__ import annotations

import logging

from page.models import DEFAULT_PRESET, DEFAULTS, Models
from page.photo.layout import EXAMPLES
from page.photo.pictures import FieldChoice, draw_field
from page.photo.session import start_session
from pose import UserError, load_image

logger = logging.getLogger(__name__)


def warm_up(models: Models) -> None:
    """Runs the example that the page opens with, so that PyTorch, engines and Matplotlib load.

    Weights that cannot be used are logged here and reported to whoever opens the page.
    """
    try:
        photo, name = load_image(next(iter(EXAMPLES.values()))), models.default_pair()[0]
        how = (name, ""), DEFAULT_PRESET, DEFAULTS
        session = start_session(models, photo, "", *how, stages=True)
        draw_field(session.sides, session.a, FieldChoice())
    except UserError as error:
        logger.warning("not warmed up: %s", error)
