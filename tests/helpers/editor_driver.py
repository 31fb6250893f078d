"""What the tests of the pose editor do to it in Chromium; places are pixels of the photo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from page_driver import PATIENCE
from playwright.sync_api import Page, expect

from pose.skeleton import keypoint_index

ON_SCREEN = """([x, y]) => {
    const matrix = document.querySelector("#pose-editor .stage svg").getScreenCTM();
    const point = new DOMPoint(x, y).matrixTransform(matrix);
    return [point.x, point.y];
}"""


def see(page: Page, view: str) -> None:
    """Chooses a view of the canvas."""
    page.locator("#views label").filter(has_text=view).click()


def open_editor(page: Page, view: str = "Correct") -> None:
    see(page, view)
    page.wait_for_selector("#pose-editor image[href]")
    page.locator("#pose-editor .stage svg").scroll_into_view_if_needed()


def begin_again(page: Page) -> None:
    """The editor with what the network found, the first person chosen."""
    open_editor(page)
    for action in ("reset", "fit"):
        button = page.locator(f"#pose-editor [data-action={action}]")
        if button.is_enabled():
            button.click()
    expect(page.locator("#status")).not_to_contain_text("corrected", timeout=PATIENCE)
    choose_person(page, 0)


def on_screen(page: Page, x: float, y: float) -> tuple[float, float]:
    return tuple(page.evaluate(ON_SCREEN, [x, y]))


def shown_people(page: Page) -> list[list[list[float] | None]]:
    """x, y, v of each keypoint of each person, as drawn."""
    return page.evaluate("""async () => {
        const frame = () => new Promise(requestAnimationFrame);
        await frame().then(frame); // a change is drawn in the next
        const people = [];
        for (const hit of document.querySelectorAll("#pose-editor .hit")) {
            const of = Number(hit.dataset.of);
            people[of] ??= Array(18).fill(null);
            const hidden = hit.previousSibling.classList.contains("hidden-dot");
            people[of][Number(hit.dataset.place)] = [
                Number(hit.getAttribute("cx")), Number(hit.getAttribute("cy")), hidden ? 1 : 2];
        }
        return people;
    }""")


def place_of(page: Page, person: int, name: str) -> tuple[float, float]:
    x, y, _ = shown_people(page)[person][keypoint_index(name)]
    return x, y


def pixel(page: Page) -> float:
    """Pixels of the photo in one of the screen."""
    return 1 / page.evaluate("document.querySelector('#pose-editor .stage svg').getScreenCTM().a")


def load_file(page: Page, path: Path) -> None:
    """Loads annotations."""
    with page.expect_file_chooser() as chooser:
        page.click("#collect-load")
    chooser.value.set_files(str(path))


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*on_screen(page, *start))
    page.mouse.down()
    page.mouse.move(*on_screen(page, *end), steps=6)
    page.mouse.up()


def click(page: Page, x: float, y: float) -> None:
    page.mouse.click(*on_screen(page, x, y))


def press(page: Page, action: str) -> None:
    """Clicks a button of the editor."""
    page.locator(f"#pose-editor [data-action={action}]").click()


def choose_person(page: Page, person: int) -> None:
    page.locator(f"#pose-editor [data-person='{person}']").click()


def choose_keypoint(page: Page, name: str) -> None:
    page.locator(f"#pose-editor [data-keypoint='{keypoint_index(name)}']").click()


def file_of(page: Page, name: str) -> Any:
    """The content of a JSON file, made and downloaded now."""
    page.wait_for_timeout(1000)  # until the menu is empty again after another file
    page.click("#download-menu input")
    with page.expect_download() as download:
        page.get_by_role("option", name=name, exact=True).click()
    return json.loads(Path(download.value.path()).read_text())


def expect_status(page: Page, text: str) -> None:
    expect(page.locator("#status .lines")).to_contain_text(text, timeout=PATIENCE)
