"""What the tests of the page do to it in Chromium."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"

PATIENCE = 60_000
"""Milliseconds a test waits for the page on a busy machine."""

PIXELS = """async selector => {
    const img = document.querySelector(selector);
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


def upload_and_run(page: Page, path: Path) -> None:
    """Puts a photo in, presses the button, and waits for the files that carry its name."""
    upload(page, path)
    page.click("#run")
    expect(page.locator("#downloads")).to_contain_text(path.stem, timeout=PATIENCE)


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
