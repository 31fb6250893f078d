"""The port that the environment names, kept from Gradio.

Import this before Gradio, which reads the variable when it is imported, and ends there in a
traceback if it holds no number.
"""

from __future__ import annotations

import os

VARIABLE = "GRADIO_SERVER_PORT"
GIVEN_PORT = os.environ.pop(VARIABLE, "")
