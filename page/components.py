"""Images in and out of Gradio's components, error messages and progress."""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.data_classes import ImageData
from gradio.utils import get_upload_folder
from PIL import Image

from pose import UserError
from pose.files import write_bytes
from pose.weights.hub import Progress

FOLDERS = re.compile(r"(?<![\w:/.@-])(?:[A-Za-z]:)?[/\\](?:[^\s/\\]+[/\\])+")
"""The folders of an absolute path."""

TECHNICAL = re.compile(r"@[0-9a-f]{40}\b|\[Errno -?\d+\] ?| ?\(?\[?Errno -?\d+\]?\)?")
"""The hash of a commit, the number of a system's error."""


def photo_input(**options: Any) -> gr.Image:
    """An image component that gives the event the path of the file as it was uploaded.

    Gradio would open the file, ignore what its mode does not say (16 bit, CMYK), write it again
    and answer a damaged one with its own error; `pose.load_image` does all of that better.
    """
    camera = gr.WebcamOptions(mirror=False)  # left stays left, as in every file
    component = gr.Image(type="filepath", image_mode=None, webcam_options=camera, **options)
    # Not a subclass: for one, Gradio would write a .pyi file beside this module.
    component.preprocess = uploaded_path  # type: ignore[method-assign]
    return component


def uploaded_path(payload: ImageData | None) -> str | None:
    """Path of an upload in Gradio's cache."""
    if payload is None:
        return None
    if payload.path is None:
        raise gr.Error("The photo did not arrive: upload it again.", print_exception=False)
    return str(payload.path)


def crisp(picture: np.ndarray, name: str = "picture.jpg") -> str:
    """Path of an array's JPEG in Gradio's cache, with full colour resolution.

    Given arrays, Gradio's components write smaller files in which thin coloured lines smear.
    """
    memory = BytesIO()
    Image.fromarray(picture).save(memory, "jpeg", quality=92, subsampling=0)
    return served_file(memory.getvalue(), name)


def data_uri(picture: np.ndarray) -> str:
    """An array's JPEG as an address that holds it: the browser fetches nothing."""
    memory = BytesIO()
    Image.fromarray(picture).save(memory, "jpeg", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(memory.getvalue()).decode()


def live_picture(**options: Any) -> gr.Image:
    """A component for many pictures one after the other, which come with the answer.

    Gradio would write each to a file, and the browser would fetch it. Give it values only: with any
    other change Gradio makes the component again, as its own.
    """
    component = gr.Image(interactive=False, **options)
    component.postprocess = in_answer  # type: ignore[assignment,method-assign]
    return component


def in_answer(picture: np.ndarray | None) -> ImageData | None:
    """An array as part of an answer."""
    return None if picture is None else ImageData(url=data_uri(picture))


def served_file(data: bytes, name: str) -> str:
    """Path of a file in Gradio's cache, the same for the same bytes.

    Gradio's own function empties a file that is there, while a browser may be loading it.
    """
    path = Path(get_upload_folder()) / sha256(data).hexdigest() / name
    if not path.is_file():
        write_bytes(path, data)
    return str(path)


def toast(error: UserError) -> gr.Error:
    """A user's mistake as a message on the page, without a traceback in the terminal."""
    return gr.Error(sentence(error), print_exception=False)


def sentence(error: UserError) -> str:
    """An error's message as a sentence for visitors."""
    text = public_message(error)
    return text[:1].upper() + text[1:]


def public_message(error: UserError) -> str:
    """An error's message for visitors: of files only the names, no hashes or error numbers."""
    return TECHNICAL.sub("", FOLDERS.sub("", str(error)))


def photo_name(path: str) -> str:
    """The name of an uploaded file."""
    return Path(path).name


def download_progress(progress: gr.Progress) -> Progress:
    """Shows a download's progress on the page."""

    def report(done: int, total: int | None, name: str) -> None:
        share = done / total if total else 0.0
        progress(min(share, 1.0), desc=f"{name}: {done / 1e6:.0f} MB")

    return report
