"""The deck of `%review` in a real JupyterLab and Notebook 7, by keyboard and by mouse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.browser.deck_page import DeckPage, boxes_of, near, queue_of
from tests.browser.page import JupyterPage
from tests.browser.server import JupyterServer
from tests.reviewing import CLASSES, Furnished

pytestmark = [pytest.mark.browser, pytest.mark.journey]


Open = Callable[[JupyterPage, Furnished, str], DeckPage]


@pytest.fixture
def open_deck(write_notebook, request) -> Open:
    def opened(page: JupyterPage, of: Furnished, options: str = "") -> DeckPage:
        notebook = f"{request.node.name}.ipynb"
        line = f"%review {of.name} {options}".strip()
        write_notebook(page.server, notebook, "%load_ext picsellia_jupyter", line)
        return DeckPage(page, notebook)

    return opened


@pytest.fixture
def furnish(request) -> Iterator[Callable[..., Furnished]]:
    homes = []

    def furnished(server: JupyterServer, name: str, **how) -> Furnished:
        session = Session(home=server.home)
        homes.append(server.home)
        return Furnished(session.platform.host, session.platform.token, name, **how)

    yield furnished
    for home in homes:
        local_platform.stop(home)


def test_boxes_are_drawn_resized_relabelled_and_undone_by_mouse(
    lab_page: JupyterPage, furnish, open_deck: Open
):
    of = furnish(lab_page.server, "by-mouse")
    of.predict_many(4)
    order = queue_of(of)
    deck = open_deck(lab_page, of, "")
    assert deck.violations() == []
    deck.page.screenshots("review-deck")

    deck.drag((160, 10), (190, 40))
    deck.says("3 of 3 shapes: zero at 160, 10 to 190, 40")
    deck.drag((190, 40), (180, 30))
    deck.says("at 160, 10 to 180, 30")
    deck.button("two").click()
    deck.says("3 of 3 shapes: two")
    deck.drag((125, 90), (115, 80))
    deck.says("2 of 3 shapes: one at 90, 60")
    deck.button("Delete").click()
    deck.says("2 shapes")
    deck.button("Undo").click()
    deck.says("3 shapes")
    deck.button("Accept").click()
    deck.is_at("Image 2 of 4")
    deck.has_status("1 corrected · all saved")
    found = boxes_of(of, order[0])
    assert near(found[0], ("zero", 20, 10, 70, 50))
    assert near(found[1], ("one", 90, 60, 50, 40))
    assert near(found[2], ("two", 160, 10, 20, 20))


def test_reviews_are_submitted_after_a_question_and_a_card_remains(
    lab_page: JupyterPage, furnish, open_deck: Open
):
    of = furnish(lab_page.server, "by-submit")
    version = of.feed_into("truth by submit")
    of.predict_many(4)
    order = queue_of(of)
    deck = open_deck(lab_page, of, "")

    deck.button("Accept").click()
    deck.is_at("Image 2 of 4")
    deck.button("Reject").click()
    deck.is_at("Image 3 of 4")
    deck.has_status("1 accepted · 1 rejected · all saved")
    deck.submit("review-submit")

    expect(deck.output).to_contain_text("2 reviews submitted, 2 annotations in datasets.")
    assert [of.reviews_of(asset) for asset in order[2:]] == [[], []]
    stats = of.get(f"/api/dataset/version/{version}/stats")
    assert stats["label_repartition"] == {"zero": 1, "one": 1}
    deck.page.execute("docmanager:save")
    saved = json.dumps([cell.outputs for cell in deck.page.cells()])
    assert "widget-view" not in saved
    deck.page.screenshots("review-card", cell=1)


def test_an_image_takes_seconds_by_keyboard_alone(lab_page: JupyterPage, furnish, open_deck: Open):
    of = furnish(lab_page.server, "by-keyboard")
    of.predict_many(6)
    order = queue_of(of)
    deck = open_deck(lab_page, of, "--policy random --limit 5")

    # Undone before the kernel can have said that there is anything to undo.
    deck.press("ArrowDown", "3", "Control+z")
    deck.says("1 of 2 shapes: zero at 20, 10")
    deck.press("3")
    deck.says("1 of 2 shapes: two at 20, 10")
    deck.press("Shift+ArrowRight", "Shift+Alt+ArrowDown")
    deck.says("at 21, 10 to 91, 61")
    deck.press("Delete")
    deck.says("1 shape")
    deck.press("Control+z")
    deck.says("2 shapes")
    deck.press("b")
    deck.says("3 of 3 shapes: two at 80, 48")
    deck.press("a")
    deck.is_at("Image 2 of 5")
    deck.has_status("1 corrected · all saved")
    # No shortcut of the notebook behind it was heard.
    assert len(deck.page.cells()) == 2

    deck.press("Escape")

    expect(deck.deck).to_have_count(0, timeout=20_000)
    expect(deck.output).to_contain_text("Reviews of by-keyboard")
    assert boxes_of(of, order[0]) == [
        ("two", 21, 10, 70, 51), ("one", 100, 70, 50, 40), ("two", 80, 48, 40, 24)
    ]  # fmt: skip


def test_decisions_are_undone_and_images_passed_by_keys(
    lab_page: JupyterPage, furnish, open_deck: Open
):
    of = furnish(lab_page.server, "by-keys")
    of.predict_many(6)
    order = queue_of(of)
    deck = open_deck(lab_page, of, "--policy random --limit 5")

    deck.press("a")
    deck.is_at("Image 2 of 5")
    deck.press("r")
    deck.is_at("Image 3 of 5")
    deck.press("n")
    deck.is_at("Image 4 of 5")
    deck.press("p")
    deck.is_at("Image 3 of 5")
    deck.press("Control+z")
    deck.is_at("Image 2 of 5")
    deck.press("a")
    deck.is_at("Image 3 of 5")
    deck.press("?")
    expect(deck.deck.locator(".pxd-keys")).to_be_visible()
    assert deck.violations() == []
    deck.page.screenshots("review-keys")
    deck.has_status("2 accepted · all saved")
    deck.page.execute("docmanager:save")
    deck.press("Escape")

    expect(deck.deck).to_have_count(0, timeout=20_000)
    expect(deck.output).to_contain_text("Reviews of by-keys")
    assert [len(of.reviews_of(asset)) for asset in order[:3]] == [1, 2, 0]
    assert [len(boxes_of(of, asset)) for asset in order[:2]] == [2, 2]


def test_two_reviewers_of_one_image_are_shown_both_reviews(
    lab_page: JupyterPage, furnish, open_deck: Open
):
    of = furnish(lab_page.server, "by-two")
    of.predict_many(2)
    first = queue_of(of)[0]
    deck = open_deck(lab_page, of, "")
    labels = of.get(f"/api/deployment/{of.id}/labels")["items"]
    theirs = {"x": 5, "y": 5, "w": 40, "h": 40, "label_id": labels[2]["id"]}
    of.post(f"/api/predicted/asset/{first}/reviews", rectangles=[theirs])

    deck.press("a")

    alert = deck.deck.get_by_role("alert")
    expect(alert).to_contain_text(
        "has reviewed this image meanwhile. Yours: 2 shapes", timeout=15_000
    )
    assert deck.violations() == []
    deck.page.screenshots("review-conflict")
    assert len(of.reviews_of(first)) == 1
    deck.press("m")
    deck.is_at("Image 2 of 2")
    deck.has_status("all saved")
    assert len(of.reviews_of(first)) == 2
    assert len(boxes_of(of, first)) == 2


def test_it_works_in_notebook_7_with_outlines(notebook_page: JupyterPage, furnish, open_deck: Open):
    of = furnish(notebook_page.server, "outlines", kind="SEGMENTATION")
    raw = {
        "detection_classes": [0], "detection_scores": [0.9],
        "detection_masks": [[[20, 10], [90, 10], [90, 60], [20, 60]]],
    }  # fmt: skip
    asset = of.predict(raw=raw)
    deck = open_deck(notebook_page, of, "")

    deck.press("2", "d")
    deck.says("1 shape · drawing one: click points")
    for spot in ((120, 60), (180, 60), (150, 110)):
        deck.page.page.mouse.click(*deck.at(spot))
    deck.press("Enter")
    deck.says("2 shapes · drawing one")
    deck.press("Escape")
    deck.page.page.mouse.click(*deck.at((50, 40)))
    deck.drag((20, 10), (30, 20))
    deck.says("1 of 2 shapes: zero at 30, 20")
    deck.page.screenshots("review-outlines")
    deck.button("two").click()
    deck.says("1 of 2 shapes: two at 30, 20")
    deck.press("Control+z")
    deck.says("1 of 2 shapes: zero at 30, 20")
    deck.press("a")
    deck.has_status("1 corrected · all saved")
    deck.submit()

    expect(deck.output).to_contain_text("1 review submitted.")
    drawn = of.reviews_of(asset)[-1]["polygons"]
    assert [one["label"]["name"] for one in drawn] == ["zero", "one"]
    assert [len(one["polygon"]) for one in drawn] == [4, 3]
    assert max(abs(a - b) for a, b in zip(drawn[0]["polygon"][0], (30, 20), strict=True)) <= 2


def test_points_are_placed_and_moved_and_a_class_is_chosen(
    lab_page: JupyterPage, furnish, open_deck: Open
):
    of = furnish(lab_page.server, "points", kind="POINT")
    raw = {"detection_classes": [0], "detection_scores": [0.9], "points": [[40, 30]]}
    asset = of.predict(raw=raw)
    deck = open_deck(lab_page, of, "")
    deck.press("2", "d")
    deck.says("1 shape · drawing one: click")
    deck.page.page.mouse.click(*deck.at((120, 60)))
    deck.says("2 shapes · drawing one")
    deck.press("Escape")
    deck.drag((120, 60), (130, 70))
    deck.says("2 of 2 shapes: one at 130, 70")
    deck.page.screenshots("review-points")
    deck.press("a")
    deck.has_status("1 corrected · all saved")
    deck.press("Escape")
    expect(deck.deck).to_have_count(0, timeout=20_000)
    placed = of.reviews_of(asset)[-1]["points"]
    assert [one["label"]["name"] for one in placed] == ["zero", "one"]

    of = furnish(lab_page.server, "classes", kind="CLASSIFICATION")
    asset = of.predict(raw=CLASSES)
    deck = open_deck(lab_page, of, "")
    deck.says("Class: one")
    deck.press("3")
    deck.says("Class: two")
    deck.page.screenshots("review-class")
    deck.press("a")
    deck.has_status("1 corrected · all saved")
    chosen = of.reviews_of(asset)[-1]["classifications"]
    assert [one["label"]["name"] for one in chosen] == ["two"]
