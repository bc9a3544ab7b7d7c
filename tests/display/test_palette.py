import pytest

from picsellia_jupyter.display.palette import BLACK, WHITE, contrast, ink_on, label_colour
from picsellia_jupyter.display.style import BADGE_INK, BADGES


def test_black_on_white_is_the_greatest_contrast_there_is():
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)


def test_twelve_classes_have_twelve_colours():
    assert len({label_colour(index) for index in range(12)}) == 12


def test_a_class_keeps_its_colour():
    assert label_colour(3) == label_colour(15) != label_colour(4)


@pytest.mark.parametrize("index", range(12))
def test_a_tag_is_legible_on_every_label_colour(index):
    background = label_colour(index)
    assert ink_on(background) in (BLACK, WHITE)
    assert contrast(ink_on(background), background) >= 4.5


@pytest.mark.parametrize("tone", BADGES)
def test_a_badge_is_legible(tone):
    assert contrast(BADGE_INK, BADGES[tone]) >= 4.5
