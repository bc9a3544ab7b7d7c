"""Blank sheets as a scanner sees them: tinted, shaded, ruled, and never quite clean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Rgb = tuple[int, int, int]

PAPERS: tuple[Rgb, ...] = ((249, 247, 242), (246, 240, 224), (240, 241, 243), (250, 250, 248))
RULES: tuple[Rgb, ...] = ((168, 194, 222), (186, 192, 200), (176, 206, 196))
MARGIN_RED: Rgb = (224, 150, 150)
DUST: Rgb = (70, 66, 62)
GRAPHITE: Rgb = (120, 118, 124)
COFFEE: Rgb = (150, 106, 62)


@dataclass(frozen=True, slots=True)
class Ruling:
    """The printed lines of a sheet."""

    pattern: str
    """`plain`, `ruled` or `squared`."""
    spacing: float
    """Pixels from one line to the next."""
    first: float
    """Pixels from the top edge to the first line."""
    color: Rgb
    margin: float | None = None
    """Pixels from the left edge to a red margin line; None draws none."""


def blank_sheet(
    width: int, height: int, ruling: Ruling, rng: np.random.Generator
) -> NDArray[np.float32]:
    """A sheet with its printed lines, before anything is written on it.

    Returns:
        (height, width, 3) RGB in [0, 255].
    """
    tint = np.array(PAPERS[rng.integers(len(PAPERS))], np.float32)
    sheet: NDArray[np.float32] = np.broadcast_to(tint, (height, width, 3)).copy()
    for color, lines in _printed_lines(width, height, ruling):
        strength = _line_mask(width, height, lines) * np.float32(rng.uniform(0.55, 0.9))
        sheet = stained(sheet, strength, color)
    return sheet


def scanned(sheet: NDArray[np.float32], rng: np.random.Generator) -> Image.Image:
    """The sheet after a scanner: uneven light, grain and a little blur."""
    height, width = sheet.shape[:2]
    shade = _clouds(width, height, cells=4, rng=rng)[..., None] * rng.uniform(3, 8)
    grain = rng.normal(0, rng.uniform(1.0, 2.2), (height, width, 1))
    pixels = np.clip(sheet - np.abs(shade) + grain, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.4))


def soil(sheet: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Add what is on a used sheet and is no digit: specks, smudges, at times a coffee ring."""
    height, width = sheet.shape[:2]
    dots, patches = int(rng.integers(4, 16)), int(rng.integers(0, 4))
    specks = _spots(width, height, dots, radius=(0.4, 1.6), dark=(90, 220), rng=rng)
    smudges = _spots(width, height, patches, radius=(6, 40), dark=(15, 50), rng=rng)
    sheet = stained(sheet, _unit(specks), DUST)
    sheet = stained(sheet, _unit(smudges.filter(ImageFilter.GaussianBlur(7))), GRAPHITE)
    if rng.random() < 0.2:
        sheet = stained(sheet, _coffee_ring(width, height, rng), COFFEE)
    return sheet


def stained(
    sheet: NDArray[np.float32], strength: NDArray[np.float32], color: Rgb
) -> NDArray[np.float32]:
    """Lay a colour over a sheet; (H, W) strength in [0, 1] over (H, W, 3) RGB."""
    alpha = strength[..., None]
    return sheet * (1 - alpha) + np.array(color, np.float32) * alpha


def _printed_lines(
    width: int, height: int, ruling: Ruling
) -> list[tuple[Rgb, list[tuple[float, float, float, float]]]]:
    lines: list[tuple[float, float, float, float]] = []
    if ruling.pattern != "plain":
        lines += [(0, y, width, y) for y in np.arange(ruling.first, height, ruling.spacing)]
    if ruling.pattern == "squared":
        start = ruling.first % ruling.spacing
        lines += [(x, 0, x, height) for x in np.arange(start, width, ruling.spacing)]
    printed = [(ruling.color, lines)]
    if ruling.margin is not None:
        printed.append((MARGIN_RED, [(ruling.margin, 0, ruling.margin, height)]))
    return printed


def _line_mask(
    width: int, height: int, lines: list[tuple[float, float, float, float]]
) -> NDArray[np.float32]:
    mask = Image.new("L", (width, height))
    pen = ImageDraw.Draw(mask)
    for line in lines:
        pen.line(line, fill=255, width=1)
    return _unit(mask)


def _spots(
    width: int,
    height: int,
    count: int,
    *,
    radius: tuple[float, float],
    dark: tuple[float, float],
    rng: np.random.Generator,
) -> Image.Image:
    mask = Image.new("L", (width, height))
    pen = ImageDraw.Draw(mask)
    for _ in range(count):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        a, b = rng.uniform(*radius, 2)
        pen.ellipse((x - a, y - b, x + a, y + b), fill=int(rng.uniform(*dark)))
    return mask


def _coffee_ring(width: int, height: int, rng: np.random.Generator) -> NDArray[np.float32]:
    mask = Image.new("L", (width, height))
    x, y, r = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(60, 95)
    pen = ImageDraw.Draw(mask)
    pen.ellipse((x - r, y - r, x + r, y + r), outline=70, fill=10, width=4)
    uneven = 0.75 + 0.5 * _clouds(width, height, cells=7, rng=rng)
    ring = _unit(mask.filter(ImageFilter.GaussianBlur(1.2)))
    return np.clip(ring * uneven, 0, 1).astype(np.float32)


def _clouds(
    width: int, height: int, *, cells: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """(height, width) smooth noise, about in [-1, 1]."""
    coarse = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


def _unit(mask: Image.Image) -> NDArray[np.float32]:
    return np.asarray(np.asarray(mask, np.float32) / 255, np.float32)
