"""The pose editor in Chromium: mouse, finger and keyboard, and the page that follows."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from editor_driver import (
    begin_again,
    choose_keypoint,
    choose_person,
    click,
    drag,
    expect_status,
    file_of,
    load_file,
    on_screen,
    open_editor,
    pixel,
    place_of,
    press,
    see,
    shown_people,
)
from page_driver import PATIENCE, source_of, table_rows, wait_for_another
from playwright.sync_api import expect
from pycocotools.coco import COCO

from page.editor.component import HERE
from pose.skeleton import L_SHOULDER, NECK, R_SHOULDER, keypoint_index

MODEL = HERE / "model.js"
WRIST = keypoint_index("right wrist")
MISSING = "right ankle"
"""A keypoint that the first person of the first example has not."""

ANKLE = keypoint_index(MISSING)


def opened_at(browser, url: str, width: int, **options):
    context = browser.new_context(
        viewport={"width": width, "height": 900}, locale="en-US", **options
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(url)
    page.wait_for_selector("#status .lines b", timeout=3 * PATIENCE)  # the network loads
    open_editor(page)
    return page


@pytest.fixture(scope="module")
def pages(browser, served):
    """The page at each width, opened once; a test begins with what the network found."""
    opened = {}

    def page_at(width: int):
        if width not in opened:
            opened[width] = opened_at(browser, served.url, width)
        page = opened[width]
        begin_again(page)
        return page

    yield page_at
    for width, page in opened.items():
        assert page.errors == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.context.close()


@pytest.fixture(params=[1280, 390])
def editor(request, pages):
    return pages(request.param)


@pytest.fixture
def wide(pages):
    return pages(1280)


def test_a_keypoint_is_dragged_and_everything_follows(editor):
    see(editor, "Skeletons")
    before = source_of(editor, "#skeleton img")
    open_editor(editor)
    x, y = place_of(editor, 0, "right wrist")
    unit = pixel(editor)
    end = x + 25 * unit, y - 15 * unit
    drag(editor, (x, y), end)
    moved = shown_people(editor)[0][WRIST]
    assert moved[:2] == pytest.approx(end, abs=1.1 * unit)
    expect_status(editor, "corrected by hand")

    people = file_of(editor, "keypoints, OpenPose")["people"]
    assert people[0]["pose_keypoints_2d"][3 * WRIST : 3 * WRIST + 2] == moved[:2]
    assert moved[0] in file_of(editor, "COCO results")[0]["keypoints"]
    editor.locator("#keypoints > button").click()
    editor.locator("#people [role=row][data-index] >> nth=" + str(WRIST)).wait_for()
    rows = table_rows(editor, "people")
    assert [float(value) for value in rows[WRIST][2:4]] == moved[:2]
    editor.locator("#keypoints > button").click()
    see(editor, "Skeletons")
    wait_for_another(editor, "#skeleton img", before)


def test_a_missing_keypoint_is_placed_hidden_and_removed(editor):
    choose_keypoint(editor, MISSING)
    assert shown_people(editor)[0][ANKLE] is None
    x, y = place_of(editor, 0, "right wrist")
    place = x + 12 * pixel(editor), y + 20 * pixel(editor)
    click(editor, *place)
    assert shown_people(editor)[0][ANKLE] == pytest.approx([*place, 2], abs=1.1 * pixel(editor))
    press(editor, "hide")
    ankle = editor.get_by_role("button", name=f"{MISSING}: hidden")
    expect(ankle).to_have_attribute("aria-pressed", "true")
    assert shown_people(editor)[0][ANKLE][2] == 1
    expect_status(editor, "corrected by hand")
    first = file_of(editor, "COCO annotations, for training")["annotations"][0]["keypoints"]
    assert first[3 * 16 + 2] == 1  # the right ankle is COCO's last
    press(editor, "remove")
    expect(editor.get_by_role("button", name=f"{MISSING}: missing")).to_be_visible()
    assert shown_people(editor)[0][ANKLE] is None


def test_a_person_is_deleted_and_comes_back(editor):
    count = len(shown_people(editor))
    press(editor, "drop")
    expect_status(editor, f"{count - 1} people")
    assert len(shown_people(editor)) == count - 1
    press(editor, "undo")
    expect_status(editor, f"{count} people")
    press(editor, "redo")
    expect_status(editor, f"{count - 1} people")
    press(editor, "reset")
    expect_status(editor, f"{count} people")
    expect(editor.locator("#status")).not_to_contain_text("corrected")
    assert len(file_of(editor, "keypoints, OpenPose")["people"]) == count


def test_by_keyboard_alone(editor):
    editor.locator("#pose-editor .stage svg").focus()
    for _ in range(5):
        editor.keyboard.press("n")  # nose, neck, right shoulder, elbow, wrist
    x, y = place_of(editor, 0, "right wrist")
    editor.keyboard.press("ArrowRight")
    editor.keyboard.press("Shift+ArrowUp")
    expect(editor.locator("#pose-editor .line")).to_contain_text(f"{x + 1:.1f}, {y - 10:.1f}")
    editor.keyboard.press("h")
    assert shown_people(editor)[0][WRIST] == pytest.approx([x + 1, y - 10, 1], abs=0.01)
    editor.keyboard.press("Delete")
    expect(editor.get_by_role("button", name="right wrist: missing")).to_be_visible()
    editor.keyboard.press("Control+z")
    editor.keyboard.press("Control+z")
    editor.keyboard.press("Control+z")
    expect(editor.get_by_role("button", name="right wrist: visible")).to_be_visible()
    assert shown_people(editor)[0][WRIST] == pytest.approx([x + 1, y, 2], abs=0.01)
    editor.keyboard.press("Control+y")
    assert editor.evaluate("document.activeElement.tagName").lower() == "svg"
    expect_status(editor, "corrected by hand")
    # A missing keypoint is placed where it may be, and the whole person is deleted.
    choose_keypoint(editor, MISSING)
    editor.locator("#pose-editor .stage svg").focus()
    editor.keyboard.press("Enter")
    expect(editor.get_by_role("button", name=f"{MISSING}: visible")).to_be_visible()
    assert shown_people(editor)[0][ANKLE] is not None
    count = len(shown_people(editor))
    choose_person(editor, 0)
    editor.keyboard.press("Delete")
    expect_status(editor, f"{count - 1} people")


def test_the_neck_follows_the_shoulders(wide):
    neck = wide.locator("#pose-editor [data-keypoint='1']")
    expect(neck).to_be_disabled()
    x, y = place_of(wide, 0, "left shoulder")
    drag(wide, (x, y), (x + 30, y + 24))
    right, left = (shown_people(wide)[0][k] for k in (R_SHOULDER, L_SHOULDER))
    middle = [(right[i] + left[i]) / 2 for i in (0, 1)]
    assert shown_people(wide)[0][NECK][:2] == pytest.approx(middle, abs=0.01)
    expect_status(wide, "corrected by hand")
    first = file_of(wide, "keypoints, OpenPose")["people"][0]["pose_keypoints_2d"]
    assert first[3:5] == pytest.approx(middle, abs=0.02)
    press(wide, "remove")
    expect(neck).to_be_enabled()


def test_zoomed_in_a_drag_is_as_exact_and_the_photo_pans(wide):
    for _ in range(4):
        press(wide, "closer")
    box = wide.locator("#pose-editor .stage svg").get_attribute("viewBox").split()
    choose_keypoint(wide, MISSING)  # no frame, which would move the person
    left, top, width, height = map(float, box)
    empty = left + 0.9 * width, top + 0.02 * height
    drag(wide, empty, (empty[0] - 30, empty[1]))
    after = wide.locator("#pose-editor .stage svg").get_attribute("viewBox").split()
    assert float(after[0]) == pytest.approx(left + 30, abs=1.1 * pixel(wide))
    choose_person(wide, 0)
    choose_keypoint(wide, "right wrist")  # brings it into view
    x, y = place_of(wide, 0, "right wrist")
    drag(wide, (x, y), (x + 27, y - 15))
    assert shown_people(wide)[0][WRIST][:2] == pytest.approx([x + 27, y - 15], abs=pixel(wide))
    press(wide, "fit")
    assert (
        float(wide.locator("#pose-editor .stage svg").get_attribute("viewBox").split()[0]) == -0.5
    )


def test_a_keypoint_cannot_leave_the_photo(wide):
    x, y = place_of(wide, 0, "right wrist")
    drag(wide, (x, y), (-20, y))
    assert shown_people(wide)[0][WRIST][0] == 0


def test_a_standing_figure_is_added_moved_and_scaled(wide):
    count = len(shown_people(wide))
    press(wide, "figure")
    expect_status(wide, f"{count + 1} people")
    frame = wide.locator("#pose-editor .frame")
    before, size = shown_people(wide)[count], wide.evaluate(
        "() => { const b = document.querySelector('#pose-editor .corner');"
        " return [b.cx.baseVal.value, b.cy.baseVal.value]; }"
    )  # fmt: skip
    expect(frame).to_be_visible()
    hip = before[keypoint_index("right hip")]
    inside = hip[0] + 26, hip[1] + 44  # between the legs
    drag(wide, inside, (inside[0] - 60, inside[1] + 20))
    moved = np.array(shown_people(wide)[count])
    steps = moved[:, :2] - np.array(before)[:, :2]
    np.testing.assert_allclose(steps, np.tile([-60, 20], (18, 1)), atol=1.1 * pixel(wide))
    corner = (size[0] - 60, size[1] + 20)
    drag(wide, corner, (corner[0] - 40, corner[1] - 100))
    scaled = np.array(shown_people(wide)[count])
    assert np.ptp(scaled[:, 1]) < 0.85 * np.ptp(moved[:, 1])
    ratio = np.ptp(scaled[:, 0]) / np.ptp(scaled[:, 1])
    assert ratio == pytest.approx(np.ptp(moved[:, 0]) / np.ptp(moved[:, 1]), abs=0.02)


def test_a_person_is_added_keypoint_by_keypoint(wide):
    count = len(shown_people(wide))
    press(wide, "empty")
    places = [(250, 100), (230, 180), (200, 190)]  # nose, neck, right shoulder
    for x, y in places:
        click(wide, x, y)
    shown = shown_people(wide)[count]
    for point, place in zip(shown[:3], places, strict=True):
        assert point[:2] == pytest.approx(place, abs=1.1 * pixel(wide))
    assert shown[3:] == [None] * 15
    expect(wide.locator("#pose-editor .line")).to_contain_text("right elbow: click where it is")
    expect_status(wide, f"{count + 1} people")


def test_by_finger(browser, served):
    page = opened_at(browser, served.url, 390, has_touch=True, is_mobile=True)
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_timeout(60)

    x, y = place_of(page, 0, "right wrist")
    unit = pixel(page)
    start, end = on_screen(page, x, y), on_screen(page, x + 30 * unit, y - 20 * unit)
    scrolled = page.evaluate("scrollY")
    touch("touchStart", start)
    for share in (0.3, 0.6, 1):
        touch("touchMove", tuple(a + share * (b - a) for a, b in zip(start, end, strict=True)))
    touch("touchEnd")
    moved = shown_people(page)[0][WRIST][:2]
    assert moved == pytest.approx([x + 30 * unit, y - 20 * unit], abs=1.5 * unit)
    assert page.evaluate("scrollY") == scrolled

    middle = on_screen(page, 690, 230)
    touch("touchStart", (middle[0] - 20, middle[1]), (middle[0] + 20, middle[1]))
    for half in (30, 40, 60):
        touch("touchMove", (middle[0] - half, middle[1]), (middle[0] + half, middle[1]))
    touch("touchEnd")
    width = float(page.locator("#pose-editor .stage svg").get_attribute("viewBox").split()[2])
    assert width == pytest.approx(1380 / 3, rel=0.1)
    assert shown_people(page)[0][WRIST][:2] == moved
    assert page.errors == []
    page.context.close()


def test_collect_as_a_zip_and_load_it_again(browser, served, tmp_path):
    wide = opened_at(browser, served.url, 1280)
    choose_person(wide, 0)
    choose_keypoint(wide, "right wrist")
    wide.keyboard.press("h")
    wide.keyboard.press("ArrowUp")
    people = shown_people(wide)
    wide.click("#collect-add")
    expect(wide.locator("#collect-line")).to_contain_text("Photos in it: 1", timeout=PATIENCE)
    href = wide.locator("#collect-zip a[href$='training-set.zip']").first.get_attribute("href")
    archive = tmp_path / "set.zip"
    archive.write_bytes(wide.request.get(href).body())
    with zipfile.ZipFile(io.BytesIO(archive.read_bytes())) as file:
        annotations, photo = sorted(file.namelist())
        (tmp_path / "a.json").write_bytes(file.read(annotations))
    assert photo.startswith("train2017/group-")
    coco = COCO(str(tmp_path / "a.json"))
    first = coco.loadAnns(coco.getAnnIds(1))[0]["keypoints"]
    assert first[30:33] == [*people[0][WRIST][:2], 1]  # COCO's right wrist
    wide.click("#collect-add")  # the same photo again
    expect(wide.locator("#collect-line")).to_contain_text("Photos in it: 1", timeout=PATIENCE)

    wide.locator("#examples .gallery-item").nth(1).click()
    expect_status(wide, "1 person")
    load_file(wide, archive)
    expect(wide.locator("#collect-line")).to_contain_text("annotations of 1 photos")
    wide.click("#collect-photos input")
    wide.get_by_role("option").first.click()
    shown = f"annotated people are shown: {len(people)} people"
    expect(wide.locator("#collect-line")).to_contain_text(shown, timeout=PATIENCE)
    x, y, _ = people[0][WRIST]
    hidden = wide.locator(f"#pose-editor .hidden-dot + .hit[data-of='0'][data-place='{WRIST}']")
    expect(hidden).to_have_attribute("cy", str(y), timeout=PATIENCE)
    expect(hidden).to_have_attribute("cx", str(x))
    assert len(shown_people(wide)) == len(people)
    assert wide.errors == []
    wide.context.close()


def test_an_answer_from_before_a_change_does_not_undo_it(page):
    person = {"score": 1, "edited": False, "points": [[10, 10, 1, 2], *[None] * 17]}
    value = {"key": "photo", "width": 90, "height": 90, "people": [person], "network": []}
    page.add_script_tag(path=MODEL)
    moved = page.evaluate(
        """value => {
            const model = new Model();
            const x = () => model.people[0].points[0][0];
            model.adopt({ ...value, edits: 0 });
            model.choose(0, 0);
            model.change(() => model.put(30, 10));
            model.adopt({ ...value, edits: 0 });
            const kept = x();
            model.begin();
            model.put(50, 10);
            model.adopt({ ...value, edits: 1 });
            const dragged = x();
            model.cancel();
            model.adopt({ ...value, edits: 1 });
            const adopted = x();
            model.undo();
            return [kept, dragged, adopted, x()];
        }""",
        value,
    )
    assert moved == [30, 50, 10, 30]


def test_a_file_that_is_no_annotation_is_one_line(wide, tmp_path):
    bad = tmp_path / "people.json"
    bad.write_text(json.dumps({"not": "coco"}))
    before = shown_people(wide)
    load_file(wide, bad)
    expect(wide.locator("body")).to_contain_text("is not a COCO keypoint file", timeout=PATIENCE)
    assert shown_people(wide) == before


def test_names_for_a_screen_reader_in_both_languages(browser, served, artifacts):
    for language, wrist, undo in (("en", "right wrist: visible", "Undo"),
                                  ("ko", "오른쪽 손목: 보임", "실행 취소")):  # fmt: skip
        page = browser.new_page(viewport={"width": 390, "height": 900}, color_scheme="dark")
        page.set_default_timeout(PATIENCE)
        page.goto(f"{served.url}?lang={language}")
        page.wait_for_selector("#status .lines b")
        open_editor(page, "Correct" if language == "en" else "고치기")
        expect(page.get_by_role("button", name=wrist)).to_be_visible()
        expect(page.get_by_role("button", name=undo, exact=True)).to_be_visible()
        assert page.locator("#pose-editor .stage svg").get_attribute("aria-label")
        buttons = page.locator("#pose-editor button")
        assert all(buttons.nth(i).get_attribute("aria-label") or buttons.nth(i).inner_text()
                   for i in range(buttons.count()))  # fmt: skip
        page.locator("#pose-editor").screenshot(path=artifacts / f"editor-390-{language}.png")
        page.close()
