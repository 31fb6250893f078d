"""Weights that a visitor adds: chosen, run, refused, seen by nobody else, and forgotten."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import torch
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from page_driver import PATIENCE, open_accordion, people_count, status_of, view
from places import EXAMPLES, ROOT
from playwright.sync_api import expect

BUNDLED = ROOT / "assets" / "weights" / "mobilenet-thin.safetensors"


class Runs:
    """Pickles as a call of os.system that leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return os.system, (f"touch {self.trace}",)


@pytest.fixture
def accordion(opened, served):
    """The page with the accordion open; afterwards nobody's weights are kept."""
    view(opened, "Compare")
    expect(opened.locator("#status")).to_contain_text("B custom", timeout=PATIENCE)
    open_accordion(opened, "advanced")
    opened.wait_for_selector("#weights-add")
    yield opened
    served.models.forget(tuple(served.models.own))


def add(page, path: Path) -> None:
    page.locator("#weights-file input[type=file]").set_input_files(str(path))
    expect(page.locator("#weights-file")).to_contain_text(path.suffix)
    page.click("#weights-add")


def options(page, element: str) -> list[str]:
    page.click(f"#{element} input")
    page.get_by_role("option").first.wait_for()
    texts = page.get_by_role("option").all_inner_texts()
    page.keyboard.press("Escape")
    return texts


def test_an_upload_is_run_by_its_visitor_alone_and_forgotten(
    accordion, served, estimator, tmp_path, artifacts
):
    page = accordion
    mine = tmp_path / "from-my-disk.safetensors"
    shutil.copyfile(BUNDLED, mine)
    add(page, mine)
    note = page.locator("#weights-note")
    expect(note).to_contain_text("preprocessing raw-bgr", timeout=PATIENCE)
    expect(note).to_contain_text(mine.name)
    assert mine.name in page.locator("#weights-b input").input_value()
    page.locator("#desk").screenshot(path=artifacts / "own-weights-1280.png")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#desk").screenshot(path=artifacts / "own-weights-390.png")
    page.set_viewport_size({"width": 1280, "height": 720})

    page.click("#refresh")
    page.click("#run")
    expect(page.locator("#status .lines")).to_contain_text(f"B {mine.name}", timeout=PATIENCE)
    people = people_count(len(estimator(EXAMPLES / "group.jpg").people))
    assert people in status_of(page).split("·")[1]
    assert "own:" not in status_of(page)
    assert any(mine.name in text for text in options(page, "weights-a"))

    models = served.models
    (key,) = models.own
    file = models.own[key].path
    assert file.read_bytes() == BUNDLED.read_bytes()
    assert any(key == kept.owner for kept in models.cache.kept)

    other = page.context.browser.new_context().new_page()
    other.goto(served.url)
    other.wait_for_selector("#status .lines", timeout=PATIENCE)
    view(other, "Compare")
    assert not any(mine.name in text for text in options(other, "weights-b"))
    other.context.close()

    models.forget((key,))
    assert not file.parent.exists()
    assert not any(key == kept.owner for kept in models.cache.kept)
    page.click("#run")
    expect(page.locator("#status")).to_contain_text(
        "no longer kept: add them again", timeout=PATIENCE
    )


def test_a_file_that_wants_to_run_code_is_one_line_and_nothing_runs(accordion, served, tmp_path):
    trace = tmp_path / "trace"
    hostile = tmp_path / "hostile.pth"
    torch.save({"model0.0.weight": Runs(trace)}, hostile)
    add(accordion, hostile)
    problem = accordion.locator("#status .problem")
    expect(problem).to_contain_text("Hostile.pth", timeout=PATIENCE)
    assert str(tmp_path.parent.parent) not in problem.inner_text()
    assert problem.inner_text().startswith("Hostile.pth")
    assert "8 people" in status_of(accordion)
    assert not trace.exists()
    assert served.models.own == {}


def test_paths_of_the_machine_are_no_weights(accordion, served):
    accordion.fill("#weights-hub textarea, #weights-hub input", str(BUNDLED))
    accordion.click("#weights-add")
    problem = accordion.locator("#status .problem")
    expect(problem).to_contain_text("A Hub id looks like owner/repo", timeout=PATIENCE)
    client = Client(served.url, verbose=False)
    for name in (str(BUNDLED), "own:guessed"):
        with pytest.raises(AppError, match=r"(?i)no weights are called|no longer kept"):
            client.predict(handle_file(str(EXAMPLES / "astronaut.jpg")), name, api_name="/detect")
    assert served.models.own == {}


def test_only_uploads_are_read_and_no_more_than_a_few(served, tmp_path):
    from page.photo.own_weights import fetched, uploaded
    from pose import UserError

    with pytest.raises(UserError, match="upload it again"):
        uploaded(str(BUNDLED), None, "en")
    for path in (str(tmp_path), "../assets/weights", "~/weights.pth"):
        with pytest.raises(UserError, match="a Hub id looks like"):
            fetched(path, None, "en")
    full = [f"own:{i}" for i in range(4)]
    served.models.own.update(dict.fromkeys(full))
    try:
        served.models.check_room(full[:3])
        with pytest.raises(UserError, match="at most 4"):
            served.models.check_room(full)
    finally:
        for key in full:
            del served.models.own[key]


def test_a_run_that_finished_meanwhile_is_there_after_a_reload(opened, served):
    folder = Path(served.models.weights_dir) / "custom"
    folder.mkdir()
    try:
        shutil.copyfile(BUNDLED, folder / "weights.safetensors")
        opened.goto(f"{served.url}?view=compare")
        expect(opened.locator("#status .lines")).to_contain_text("B custom", timeout=PATIENCE)
        assert opened.locator("#weights-b input").input_value().startswith("custom")
    finally:
        shutil.rmtree(folder)
