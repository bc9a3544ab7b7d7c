"""The viewer's zoom, layers and ways out, and whether everybody can use it."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from picsellia_jupyter.display.palette import label_colour
from picsellia_jupyter.display.viewer import Layer
from picsellia_jupyter.domain.predictions import Classification
from tests.browser.viewer_page import ViewerPage
from tests.browser.viewer_scenes import (
    GREY,
    NAMES,
    THREE,
    boxes,
    heads,
    html,
    near,
    photo,
    truth,
)
from tests.display.one_image import viewer_html

pytestmark = pytest.mark.browser


# Zoom ----------------------------------------------------------------------------------------


def test_ctrl_and_the_wheel_zoom_about_the_pointer_and_a_wheel_alone_scrolls(viewer: ViewerPage):
    viewer.show(html(THREE), body="<div style='height:3000px'></div>")
    viewer.point_at(100, 150)
    viewer.page.mouse.wheel(0, 30)
    viewer.page.wait_for_function("scrollY > 0")
    assert near(viewer.pixel(100, 150), label_colour(0))
    viewer.page.evaluate("scrollTo(0, 0)")
    viewer.point_at(100, 150)
    viewer.page.keyboard.down("Control")
    viewer.page.mouse.wheel(0, -400)
    viewer.page.keyboard.up("Control")
    viewer.point_at(600, 470)
    # e² as large: what was 20 pixels to the right is now 148 away, the edge has stayed.
    assert near(viewer.pixel(100, 150), label_colour(0))
    assert near(viewer.pixel(400, 150), GREY)
    assert viewer.page.evaluate("scrollY") == 0


def test_a_drag_pans_and_a_double_click_resets(viewer: ViewerPage):
    viewer.show(html(THREE))
    viewer.press("+", "+")
    assert not near(viewer.pixel(100, 150), label_colour(0))
    before = viewer.canvas.screenshot()
    viewer.point_at(300, 300)
    viewer.page.mouse.down()
    viewer.point_at(200, 250)
    viewer.page.mouse.up()
    viewer.point_at(630, 470)
    assert viewer.canvas.screenshot() != before
    viewer.canvas.dblclick(position={"x": 5, "y": 5})
    assert near(viewer.pixel(100, 150), label_colour(0))


# Comparing -----------------------------------------------------------------------------------

SHADOW = Layer("shadow", "shadow", boxes((100, 300, 200, 400), scores=[0.8], classes=[1]))


def test_side_by_side_each_layer_has_its_pane_and_zoom_is_linked(viewer: ViewerPage):
    viewer.show(html(THREE, SHADOW))
    viewer.button("Side by side").click()
    viewer.point_at(1270, 10, width=1280)
    assert near(viewer.pixel(100, 150, width=1280), label_colour(0), by=20)
    assert near(viewer.pixel(740, 150, width=1280), GREY)
    assert near(viewer.pixel(100, 350, width=1280), GREY)
    edge = viewer.pixels([(740, y) for y in range(310, 390)], width=1280)
    assert any(near(seen, label_colour(1), by=20) for seen in edge)
    viewer.button("+").click()
    viewer.settle()
    left, right = (viewer.pixel(x, 440, width=1280) for x in (300, 940))
    assert near(left, right)


def test_swiping_shows_one_layer_on_each_side(viewer: ViewerPage):
    viewer.show(html(THREE, SHADOW))
    viewer.button("Swipe").click()
    viewer.point_at(600, 470)
    assert near(viewer.pixel(100, 150), label_colour(0))
    assert near(viewer.pixel(150, 300), GREY)
    slider = viewer.page.get_by_role("slider", name="Swipe")
    slider.fill("0")
    assert near(viewer.pixel(100, 150), GREY)
    assert any(
        near(seen, label_colour(1)) for seen in viewer.pixels([(150 + x, 300) for x in range(20)])
    )
    slider.fill("0.5")
    viewer.point_at(320, 240)
    viewer.page.mouse.down()
    viewer.point_at(200, 240)
    viewer.page.mouse.up()
    assert near(viewer.pixel(400, 150), GREY)


def test_a_layer_is_switched_off(viewer: ViewerPage):
    viewer.show(html(THREE, SHADOW))
    viewer.button("champion").click()
    assert near(viewer.pixel(100, 150), GREY)


def test_figures_move_with_the_slider_and_errors_have_colours(viewer: ViewerPage):
    layer = truth((100, 100, 200, 190), (500, 300, 600, 400), classes=[0, 1])
    viewer.show(html(THREE, layer))
    expect(
        viewer.page.get_by_text("precision 0.50 · recall 0.50 · F1 0.50 · 1 TP, 1 FP, 1 FN")
    ).to_be_visible()
    viewer.slide_to(0.6)
    expect(
        viewer.page.get_by_text("precision 1.00 · recall 0.50 · F1 0.67 · 1 TP, 0 FP, 1 FN")
    ).to_be_visible()
    viewer.slide_to(0.95)
    expect(viewer.page.get_by_text("precision – · recall 0.00 · F1 0.00")).to_be_visible()  # noqa: RUF001
    viewer.slide_to(0.3)
    expect(viewer.page.get_by_text("false negative")).to_be_hidden()
    viewer.button("Errors").click()
    expect(viewer.page.get_by_text("false negative")).to_be_visible()
    assert near(viewer.pixel(100, 150), (0, 114, 178))
    assert near(viewer.pixel(400, 150), (213, 94, 0))
    assert any(
        near(seen, (240, 228, 66)) for seen in viewer.pixels([(600, y) for y in range(340, 360)])
    )


def test_hovering_tells_the_match_and_leads_a_line_to_it(viewer: ViewerPage):
    viewer.show(
        html(boxes((100, 100, 200, 200), (300, 300, 340, 340)), truth((100, 100, 200, 260)))
    )
    viewer.point_at(120, 120)
    expect(viewer.tip).to_have_text("car 0.90 · champion\n100 × 100 px\nIoU 0.62 with car")  # noqa: RUF001
    line = viewer.pixels([(150, y) for y in range(150, 180)])
    assert any(near(seen, (255, 255, 255), by=40) for seen in line)
    viewer.point_at(320, 320)
    expect(viewer.tip).to_contain_text("no match in ground truth")


# What leaves it ------------------------------------------------------------------------------


def saved_by(viewer: ViewerPage) -> Image.Image:
    """The file that the button saves."""
    with viewer.page.expect_download() as saving:
        viewer.button("Save PNG").click()
    assert saving.value.suggested_filename == "street-predictions.png"
    return Image.open(saving.value.path()).convert("RGB")


def test_the_whole_picture_is_saved_with_what_is_shown(viewer: ViewerPage):
    viewer.show(html(THREE))
    viewer.press("+", "+", "l")
    saved = saved_by(viewer)
    assert saved.size == (640, 480)
    assert near(saved.getpixel((100, 150)), label_colour(0))
    assert near(saved.getpixel((399, 150)), label_colour(1))
    assert near(saved.getpixel((120, 140)), GREY)


def test_a_large_photo_is_saved_in_its_own_pixels(viewer: ViewerPage):
    found = boxes((1000, 500, 3000, 2000))
    layers = [Layer("champion", "champion", found)]
    viewer.show(viewer_html(photo(4000, 2667), layers, NAMES, threshold=0.3))
    told = "As it is shown, the photo at 4000 × 2667 px, enlarged from 1280 × 854"  # noqa: RUF001
    expect(viewer.button("Save PNG")).to_have_attribute("title", told)
    saved = saved_by(viewer)
    assert saved.size == (4000, 2667)
    for corner in ((1000, 600), (2999, 600), (2000, 1999), (1002, 498)):
        assert near(saved.getpixel(corner), label_colour(0))
    # As strong as in the 1280 pixels that are sent, not a hair.
    assert near(saved.getpixel((1002, 1300)), label_colour(0))
    assert near(saved.getpixel((1030, 1300)), GREY)


def test_two_outputs_on_a_page_do_not_disturb_each_other(viewer: ViewerPage):
    viewer.show(html(THREE), html(boxes((10, 10, 50, 50)), threshold=0.95))
    expect(viewer.page.locator("canvas")).to_have_count(2)
    viewer.page.get_by_label("Confidence").first.fill("0.95")
    viewer.settle()
    assert near(viewer.pixel(100, 150), GREY)
    expect(viewer.page.get_by_text("0 of 1 shown")).to_have_count(1)


def test_labels_are_text_whatever_they_say(viewer: ViewerPage):
    hostile = (
        "<img src=x onerror=\"document.title='run'\"></script><script>document.title='run'</script>"
    )
    page = viewer_html(
        photo(), [Layer(hostile, "champion", THREE), Layer(hostile, "shadow", THREE)],
        dict.fromkeys(range(3), hostile), threshold=0.3, name=hostile,
    )  # fmt: skip
    viewer.show(page)
    viewer.point_at(140, 140)
    expect(viewer.tip).to_contain_text("<img src=x")
    assert viewer.page.title() == "Viewer"
    assert viewer.page.locator("img[src=x]").count() == 0


# For everybody -------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(viewer: ViewerPage, theme: str):
    layer = truth((100, 100, 200, 190), (500, 300, 600, 400), classes=[0, 1])
    classes = Classification(**heads(0.75, 0.25, classes=[1, 0]))
    viewer.show(html(THREE, layer), html(classes, threshold=None))
    viewer.use_theme(theme)
    viewer.button("Errors").click()
    viewer.page.get_by_title("Only car").click()
    viewer.press("ArrowDown")
    found = Axe().run(viewer.page)
    assert found.response["violations"] == [], found.generate_report()


def test_all_controls_can_be_reached_by_the_tab_key(viewer: ViewerPage):
    viewer.show(html(THREE, SHADOW))
    reached = []
    for _ in range(25):
        viewer.page.keyboard.press("Tab")
        focus = "document.activeElement.shadowRoot?.activeElement"
        reached.append(viewer.page.evaluate(f"{focus}?.textContent || {focus}?.tagName"))
    wanted = ["INPUT", "Overlay", "Side by side", "Swipe", "Labels", "Save PNG", "CANVAS", "shadow"]
    assert [name for name in wanted if name not in reached] == []


def test_it_fits_a_narrow_column(viewer: ViewerPage):
    viewer.page.set_viewport_size({"width": 320, "height": 700})
    viewer.show(html(THREE, SHADOW))
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= 320
    assert near(viewer.pixel(400, 150), label_colour(1), by=60)
    viewer.screenshots("viewer-narrow")
