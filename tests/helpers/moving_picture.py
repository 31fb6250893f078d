"""The README's moving picture, made from the real page in Chromium.

    python tests/helpers/moving_picture.py assets/page.webp

Starts the page on a free port, opens the first example and shows the photo, its heatmaps, its PAFs,
its skeletons, and the two sets of weights.
"""

from __future__ import annotations

import shutil
import signal
import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from page_process import start_page
from PIL import Image
from playwright.sync_api import Page, sync_playwright

VIEWPORT = {"width": 1280, "height": 860}
WIDTH = 880
MILLISECONDS = {"photo": 1500, "Heatmap": 1800, "PAF": 1800, "Skeletons": 2500, "Compare": 3000}
"""How long each view is shown."""


def settled(page: Page) -> None:
    """Waits until nothing is being computed and the pictures have arrived."""
    page.wait_for_timeout(1500)
    page.wait_for_function("() => !document.querySelector('.generating, .translucent')")
    page.wait_for_timeout(1500)


def picture(page: Page) -> Image.Image:
    image = Image.open(BytesIO(page.locator("#stage").screenshot())).convert("RGB")
    image = image.crop((0, 0, image.width, min(image.height, 720)))
    return image.resize(
        (WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS
    )


def show(page: Page, view: str) -> None:
    page.locator("#views").get_by_text(view, exact=True).click()
    settled(page)


def frames(page: Page) -> list[tuple[Image.Image, int]]:
    """Pictures and how long to show them."""
    taken = []
    show(page, "Heatmap")
    opacity = page.locator("#field-opacity input[type=number]")
    for share, name in (("0", "photo"), ("0.7", "Heatmap")):
        opacity.fill(share)
        opacity.press("Enter")
        settled(page)
        taken.append((picture(page), MILLISECONDS[name]))
    for view in ("PAF", "Skeletons", "Compare"):
        show(page, view)
        taken.append((picture(page), MILLISECONDS[view]))
    return taken


def main(target: Path) -> None:
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        served = start_page(Path(folder))
        try:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport=VIEWPORT)
            page.goto(served.url)
            page.locator("#status").get_by_text("people").first.wait_for(timeout=120_000)
            settled(page)
            taken = frames(page)
        finally:
            served.end(signal.SIGTERM)
    first, *others = (image for image, _ in taken)
    first.save(
        target,
        save_all=True,
        append_images=others,
        duration=[time for _, time in taken],
        loop=0,
        quality=82,
        method=6,
    )
    print(f"{target}: {target.stat().st_size / 1e6:.2f} MB, {len(taken)} frames")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
