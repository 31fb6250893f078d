"""A real server on loopback and a real Chromium for the tests of the page."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from page_driver import PATIENCE
from page_process import write_second_run
from places import ROOT

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@dataclass(frozen=True)
class Page:
    """The served page: its address, and the models behind it in this very process."""

    url: str
    models: object


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker("e2e")


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict:
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is not installed, and CI must not pass without the page's tests")
        pytest.skip("needs chromium")
    return {"executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page as `python app.py` serves it, on a free port."""
    sys.path.insert(0, str(ROOT))
    import app
    from page.models import Models
    from page.serving.server import launch_options

    models = Models("cpu", tmp_path_factory.mktemp("runs"))
    demo = app.build(models)
    _, url, _ = demo.launch(
        prevent_thread_lock=True,
        quiet=True,
        server_name="127.0.0.1",
        server_port=None,
        **launch_options(),
    )
    yield Page(url, models)
    demo.close()


@pytest.fixture
def artifacts() -> Path:
    """A git-ignored folder for screenshots."""
    folder = ROOT / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def opened(page, served: Page):
    """The page in a tab of Chromium, its first example computed; other addresses are recorded."""
    page.set_default_timeout(PATIENCE)
    page.outside = []
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((served.url, "data:", "blob:"))
            else page.outside.append(request.url)
        ),
    )
    page.goto(served.url)
    page.wait_for_selector("#status .lines")
    page.wait_for_selector("#skeleton img")
    return page


@pytest.fixture(scope="module")
def second_weights(served: Page) -> Iterator[str]:
    """Name of a finished run beside the bundled weights: the same network, surer of itself.

    Gone afterwards, since a page that is opened compares with a finished run.
    """
    folder = write_second_run(Path(served.models.weights_dir))
    yield folder.name
    shutil.rmtree(folder)
