"""Languages, phone width, light and dark, alt texts, the keyboard."""

from __future__ import annotations

import pytest
from page_driver import PATIENCE
from playwright.sync_api import expect


def opened_with(browser, url: str, **options):
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    page.wait_for_selector("#status .lines")
    page.wait_for_selector("#downloads a", state="attached")
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
    expect(page.locator("#people")).to_contain_text("관절점" if korean else "keypoint")
    expect(page.locator("#strip")).to_contain_text("히트맵" if korean else "Heatmaps")
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_clipped_or_empty(browser, served, artifacts, width, scheme):
    page = opened_with(
        browser,
        served.url,
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        locale="en-US",
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.wait_for_timeout(1000)
    for selector in ("#skeleton img", "#field-map img", "#strip img"):
        image = page.locator(selector).first
        image.scroll_into_view_if_needed()
        page.wait_for_function(
            "s => document.querySelector(s).naturalWidth > 0", arg=selector, timeout=PATIENCE
        )
        box = image.bounding_box()
        assert box["width"] > 80
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width + 1
    page.screenshot(path=artifacts / f"page-{width}-{scheme}.png", full_page=True)
    page.context.close()


def test_pictures_have_alt_texts_and_the_keyboard_reaches_the_button(opened):
    for selector in ("#skeleton img", "#field-map img", "#strip img", "#input-image img"):
        assert opened.locator(selector).first.get_attribute("alt"), selector
    opened.locator("#preset input").first.focus()
    for _ in range(6):
        opened.keyboard.press("Tab")
        if opened.evaluate("document.activeElement.id") == "run":
            break
    assert opened.evaluate("document.activeElement.id") == "run"
