"""What the tests of the page do to it in Chromium."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
from playwright.sync_api import Page

PATIENCE = 60_000
"""Milliseconds a test waits for the page on a busy machine."""

PIXELS = """async selector => {
    const img = document.querySelector(selector);
    img.loading = "eager";  // a lazy image far below the window is never decoded
    await img.decode();
    const canvas = document.createElement("canvas");
    canvas.width = img.naturalWidth; canvas.height = img.naturalHeight;
    const pen = canvas.getContext("2d");
    pen.drawImage(img, 0, 0);
    const data = pen.getImageData(0, 0, canvas.width, canvas.height).data;
    let text = "";
    for (let i = 0; i < data.length; i += 32768)
        text += String.fromCharCode(...data.subarray(i, i + 32768));
    return [[canvas.height, canvas.width], btoa(text)];
}"""


def status_of(page: Page) -> str:
    return page.inner_text("#status .lines")


def upload(page: Page, path: Path) -> None:
    """Puts a photo in, in place of the one that is there."""
    page.click("#input-image [aria-label='Upload file']")
    page.locator("#input-image input[type=file]").set_input_files(str(path))
    page.wait_for_selector("#input-image [aria-label='Remove Image']")


def upload_and_wait(page: Page, path: Path) -> None:
    """Puts a photo in and waits for its skeletons; nothing is pressed."""
    before = source_of(page, "#skeleton img")
    upload(page, path)
    wait_for_another(page, "#skeleton img", before)


def view(page: Page, name: str) -> None:
    """Chooses a view of the canvas by its label."""
    page.locator("#views").get_by_text(name, exact=True).click()


def open_accordion(page: Page, element: str) -> None:
    page.click(f"#{element} > button")


def downloaded(page: Page, kind: str, folder: Path) -> Path:
    """Chooses a file in the menu, and saves what the browser downloads."""
    page.click("#download-menu input")
    with page.expect_download(timeout=PATIENCE) as download:
        page.get_by_role("option", name=kind, exact=True).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def saved(page: Page, selector: str, name: str, folder: Path) -> Path:
    """Downloads one of a list of files."""
    row = page.locator(f"{selector} tr", has=page.locator(f"[aria-label='{name}']"))
    with page.expect_download(timeout=PATIENCE) as download:
        row.locator("a").click()
    download.value.save_as(folder / name)
    return folder / name


def pixels(page: Page, selector: str) -> np.ndarray:
    """What an <img> has loaded, uint8 (H, W, 3)."""
    size, data = page.evaluate(PIXELS, selector)
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(*size, 4)[..., :3]


def source_of(page: Page, selector: str) -> str:
    return page.locator(selector).first.get_attribute("src")


def wait_for_another(page: Page, selector: str, before: str) -> str:
    """Waits until an <img> has another source than before; returns the new one."""
    page.wait_for_function(
        "([s, b]) => { const i = document.querySelector(s);"
        " return i && i.src && i.getAttribute('src') !== b; }",
        arg=[selector, before],
        timeout=PATIENCE,
    )
    return source_of(page, selector)


def choose(page: Page, element: str, name: str) -> None:
    """Chooses an entry of a drop-down by its exact label."""
    page.click(f"#{element} input")
    page.get_by_role("option", name=name, exact=True).click()


def set_number(page: Page, element: str, value: float) -> None:
    """Types a value into a slider's box."""
    box = page.locator(f"#{element} input[type=number]")
    box.fill(str(value))
    box.press("Enter")


def table_rows(page: Page, element: str) -> list[list[str]]:
    """The rows of a table that are on the screen, as texts."""
    rows = page.locator(f"#{element} [role=row][data-index]")
    return [
        [cell.strip() for cell in rows.nth(i).locator("[role=gridcell]").all_inner_texts()]
        for i in range(rows.count())
    ]


def people_count(count: int) -> str:
    """As the status line says it."""
    return {0: "no people", 1: "1 person"}.get(count, f"{count} people")
