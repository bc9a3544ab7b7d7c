"""Colours of labels: stable per class, told apart by colour-blind readers too."""

from __future__ import annotations

import functools

Colour = tuple[int, int, int]
"""Red, green, blue, each 0 to 255."""

BLACK: Colour = (17, 17, 17)
WHITE: Colour = (255, 255, 255)

# Okabe and Ito's eight without black, then five of Paul Tol's that keep apart from them.
_LABEL_COLOURS: tuple[Colour, ...] = (
    (0, 114, 178),
    (230, 159, 0),
    (0, 158, 115),
    (213, 94, 0),
    (86, 180, 233),
    (204, 121, 167),
    (240, 228, 66),
    (136, 34, 85),
    (68, 170, 153),
    (51, 34, 136),
    (153, 153, 51),
    (170, 68, 153),
)


def label_colour(class_index: int) -> Colour:
    """The colour of a class; the same in every picture, whatever else is shown.

    Args:
        class_index: counts from 0; colours repeat after twelve classes.
    """
    return _LABEL_COLOURS[class_index % len(_LABEL_COLOURS)]


def tone_of(class_index: int | None) -> str:
    """The colour of a class as CSS and matplotlib write it; a grey for several classes."""
    red, green, blue = (150, 150, 150) if class_index is None else label_colour(class_index)
    return f"#{red:02x}{green:02x}{blue:02x}"


@functools.cache  # of few colours, asked for each label
def ink_on(background: Colour) -> Colour:
    """Black or white text, whichever reads better on a background."""
    return max((BLACK, WHITE), key=lambda ink: contrast(ink, background))


def contrast(one: Colour, other: Colour) -> float:
    """Contrast ratio of two colours as WCAG 2 defines it, 1 to 21; text wants 4.5."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
