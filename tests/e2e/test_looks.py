"""Languages, four window sizes, light and dark, names of controls, the keyboard."""

from __future__ import annotations

import pytest
from page_driver import PATIENCE, open_accordion, view
from playwright.sync_api import expect

NAMELESS = """() => [...document.querySelectorAll(
    'button, input:not([type=file]), textarea, select, [role=button], [role=slider]')]
  .filter(e => e.checkVisibility() && !e.closest('[aria-hidden=true]'))
  .filter(e => !(e.innerText?.trim() || e.getAttribute('aria-label') || e.title
    || e.getAttribute('aria-labelledby') || [...(e.labels || [])].some(l => l.innerText.trim())))
  .map(e => e.outerHTML.slice(0, 200))"""


def opened_with(browser, url: str, **options):
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    page.wait_for_selector("#status .lines")
    page.wait_for_selector("#skeleton img")
    return page


@pytest.mark.parametrize(
    ("locale", "query", "korean"),
    [
        ("en-US", "", False),
        ("ko-KR", "", True),
        ("en-US", "?lang=ko", True),
        ("ko-KR", "?lang=en", False),
        ("de-DE", "", False),
    ],
)
def test_language(browser, served, locale, query, korean):
    page = opened_with(browser, served.url + query, locale=locale)
    expect(page.locator("#run")).to_have_text("사람 찾기" if korean else "Find the people")
    expect(page.locator("#status")).to_contain_text("명" if korean else "people")
    expect(page.locator("#views")).to_contain_text("골격" if korean else "Skeletons")
    open_accordion(page, "how")
    expect(page.locator("#strip")).to_contain_text(
        "히트맵" if korean else "Heatmaps", timeout=PATIENCE
    )
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 900), (1366, 768), (1920, 1080)])
def test_the_result_and_the_button_are_on_the_first_screen(
    browser, served, artifacts, width, height, scheme
):
    page = opened_with(
        browser,
        served.url,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        locale="en-US",
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.wait_for_timeout(1000)
    run, canvas, tabs = (
        page.locator(s).bounding_box() for s in ("#run", "#canvas", "#tabs > .tab-wrapper")
    )
    for box in (run, canvas, tabs):
        assert box["x"] >= 0 and box["x"] + box["width"] <= width + 1
        assert box["y"] + box["height"] <= height
    if width > 640:
        assert tabs["y"] + tabs["height"] <= 96
        assert run["y"] + run["height"] <= 650
        assert 800 <= canvas["width"] <= 1200
    else:
        assert page.evaluate("document.documentElement.scrollHeight") < 2000
        for name in ("Video", "Webcam", "Use from code"):
            assert page.get_by_role("tab", name=name).is_visible()
    page.screenshot(path=artifacts / f"page-{width}-{scheme}.png", full_page=True)
    page.context.close()


def test_a_tap_on_a_telephone_shows_before_and_after(browser, served):
    page = opened_with(browser, served.url, viewport={"width": 390, "height": 844})
    image = page.locator("#skeleton img")
    after = image.get_attribute("src")
    image.click()
    assert image.evaluate("e => e.src") == page.evaluate(
        "document.querySelector('#input-image img').src"
    )
    image.click()
    assert image.evaluate("e => e.src").endswith(after.split("/")[-1])
    page.context.close()


def test_every_control_has_a_name_and_the_keyboard_reaches_the_button(opened):
    for element in ("how", "keypoints", "advanced"):
        open_accordion(opened, element)
        expect(opened.locator(f"#{element} > button")).to_have_attribute("aria-expanded", "true")
    for name in ("Heatmap", "PAF", "On black", "Compare", "Skeletons"):
        view(opened, name)
        opened.wait_for_timeout(1000)
        assert opened.evaluate(NAMELESS) == [], name
    for selector in ("#skeleton img", "#strip img", "#input-image img"):
        assert opened.locator(selector).first.get_attribute("alt"), selector
    opened.locator("#preset input").first.focus()
    for _ in range(6):
        opened.keyboard.press("Tab")
        if opened.evaluate("document.activeElement.id") == "run":
            break
    assert opened.evaluate("document.activeElement.id") == "run"
