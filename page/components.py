"""Gradio's image components, made to take any photo and to show skeletons crisply."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.data_classes import ImageData
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder
from PIL import Image

from pose import UserError

FOLDERS = re.compile(r"(?<![\w:/.@-])(?:[A-Za-z]:)?[/\\](?:[^\s/\\]+[/\\])+")
"""The folders of an absolute path."""


def photo_input(**options: Any) -> gr.Image:
    """An image component that gives the event the path of the file as it was uploaded.

    Gradio would open the file, ignore what its mode does not say (16 bit, CMYK), write it again
    and answer a damaged one with its own error; `pose.load_image` does all of that better.
    """
    component = gr.Image(type="filepath", image_mode=None, **options)
    component.preprocess = uploaded_path  # type: ignore[method-assign]
    return component


def uploaded_path(payload: ImageData | None) -> str | None:
    """Path of an upload in Gradio's cache."""
    if payload is None:
        return None
    if payload.path is None:
        raise gr.Error("The photo did not arrive: upload it again.", print_exception=False)
    return str(payload.path)


def crisp(picture: np.ndarray) -> str:
    """Path of an array's JPEG in Gradio's cache, with full colour resolution.

    Given arrays, Gradio's components write smaller files in which thin coloured lines smear.
    """
    memory = BytesIO()
    Image.fromarray(picture).save(memory, "jpeg", quality=92, subsampling=0)
    return save_bytes_to_cache(memory.getvalue(), "picture.jpg", get_upload_folder())


def toast(error: UserError) -> gr.Error:
    """A user's mistake as a message on the page, without a traceback in the terminal."""
    text = told(error)
    return gr.Error(text[:1].upper() + text[1:], print_exception=False)


def told(error: UserError) -> str:
    """A mistake for a stranger: where files of the server lie is left out, only their names."""
    return FOLDERS.sub("", str(error))


def photo_name(path: str) -> str:
    """The name of an uploaded file."""
    return Path(path).name


def download_progress(progress: gr.Progress) -> Any:
    """Tells the page about a download."""

    def report(done: int, total: int | None, name: str) -> None:
        share = done / total if total else 0.0
        progress(min(share, 1.0), desc=f"{name}: {done / 1e6:.0f} MB")

    return report
