"""What the first visitor would otherwise wait for, done when the page already answers."""

from __future__ import annotations

import logging

from page.models import DEFAULT_PRESET, Models
from page.photo_layout import EXAMPLES
from page.pictures import HEATMAP, STAGES, field_pictures
from page.session import start_session
from pose import DecodeSettings, UserError, load_image
from pose.field_figures import ALL_JOINTS

logger = logging.getLogger(__name__)


def warm_up(models: Models) -> None:
    """Answers the example that the page opens with: PyTorch, the engines and matplotlib load.

    Weights that cannot be used are told in the log, and to whoever opens the page.
    """
    try:
        photo, pair = load_image(EXAMPLES[0]), models.default_pair()
        session = start_session(models, photo, "", pair, DEFAULT_PRESET, DecodeSettings())
        field_pictures(session.shown, session.sides, HEATMAP, ALL_JOINTS, STAGES)
    except UserError as error:
        logger.warning("not warmed up: %s", error)
