"""Pages of handwritten numbers, composed from scanned digits, with their ground truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from picsellia_jupyter.demo.paper import RULES, Rgb, Ruling, blank_sheet, scanned, soil, stained
from picsellia_jupyter.demo.scans import Scans
from picsellia_jupyter.domain.predictions import Detections

SIZES: tuple[tuple[int, int], ...] = (
    (640, 480), (480, 640), (800, 500), (512, 512), (600, 400), (460, 620),
)  # fmt: skip
"""Width and height in pixels: landscape, portrait and square."""
INKS: tuple[Rgb, ...] = ((32, 42, 96), (38, 64, 150), (34, 34, 38), (24, 30, 60), (74, 76, 82))
TYPICAL_COUNT = 36
"""Digits on a page, roughly; small pages with large digits hold fewer."""
DIGIT_HEIGHT = (22.0, 64.0)
"""Pixels of the shortest and of the tallest digit."""
LOCAL_CONTRAST = 0.8
"""How much of a scan's surroundings is taken away: opens the loops of small bold digits."""
VISIBLE = 0.25
"""Ink from here on counts as drawn; boxes are tight around it."""


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A composed page and what is written on it."""

    image: Image.Image
    """RGB."""
    truth: Detections
    """N digits, scores 1.0."""


@dataclass(frozen=True, slots=True, eq=False)
class _Hand:
    """How one page is written."""

    height: float
    """Typical height of a digit, in pixels."""
    slant: float
    """Degrees every digit leans."""
    weight: float
    """Ink level in [0, 1] at which a stroke ends: lower is bolder."""
    pressure: float
    """Darkness of the ink in [0, 1]."""


def compose_page(scans: Scans, seed: int) -> Page:
    """Write numbers on a sheet, with digits drawn from `scans`.

    Args:
        scans: the split to draw digits from.
        seed: the same seed and scans give the same page.

    Returns:
        The page; its boxes are tight around the ink, in pixels: left, top, right, bottom.
    """
    rng = np.random.default_rng(seed)
    width, height = SIZES[rng.integers(len(SIZES))]
    hand = _some_hand(rng)
    ruling = _some_ruling(width, hand, rng)
    writing = _Writing(scans, width, height, rng)
    _write_rows(writing, hand, ruling)
    sheet = soil(blank_sheet(width, height, ruling, rng), rng)
    sheet = stained(sheet, writing.ink * hand.pressure, INKS[rng.integers(len(INKS))])
    return Page(scanned(sheet, rng), writing.truth())


def compose_digit(scans: Scans, row: int, seed: int, *, side: int = 96) -> Image.Image:
    """Write one digit alone on a small square of paper.

    Args:
        scans: where the digit is taken from.
        row: which of its scans.
        seed: the same arguments give the same picture.
        side: width and height of the picture in pixels.

    Returns:
        RGB picture.
    """
    rng = np.random.default_rng((seed, row))
    hand = _some_hand(rng)
    ruling = _some_ruling(side, hand, rng)
    ink = _drawn(scans.ink[row], rng.uniform(0.5, 0.8) * side, hand, rng)
    page = np.zeros((side, side), np.float32)
    top, left = ((np.array(page.shape) - ink.shape) * rng.uniform(0.3, 0.7, 2)).astype(int)
    _press(page, ink, left, top)
    sheet = stained(
        blank_sheet(side, side, ruling, rng), page * hand.pressure, INKS[rng.integers(len(INKS))]
    )
    return scanned(sheet, rng)


class _Writing:
    """Ink on a page so far, with the boxes of its digits."""

    def __init__(self, scans: Scans, width: int, height: int, rng: np.random.Generator) -> None:
        self.ink = np.zeros((height, width), np.float32)
        self.rng = rng
        self._scans = scans
        self._boxes: list[tuple[float, float, float, float]] = []
        self._labels: list[int] = []

    @property
    def width(self) -> int:
        return self.ink.shape[1]

    @property
    def height(self) -> int:
        return self.ink.shape[0]

    def digit(self, hand: _Hand, left: float, base: float) -> float | None:
        """Write some digit with its foot on `base`; its right edge, or None without room."""
        row = int(self.rng.integers(len(self._scans)))
        tall = float(np.clip(hand.height * self.rng.normal(1, 0.07), *DIGIT_HEIGHT))
        ink = _drawn(self._scans.ink[row], tall, hand, self.rng)
        top = round(base - ink.shape[0] + self.rng.normal(0, 0.05) * tall)
        x, right, bottom = round(left), round(left) + ink.shape[1], top + ink.shape[0]
        if right > self.width - 4 or top < 3 or bottom > self.height - 3:
            return None
        _press(self.ink, ink, x, top)
        self._boxes.append((x, top, right, bottom))
        self._labels.append(int(self._scans.labels[row]))
        return float(right)

    def underline(self, left: float, right: float, y: float) -> None:
        """Draw a line by hand, which is no digit."""
        mask = Image.new("L", (self.width, self.height))
        steps = np.linspace(left, right, 9)
        wobble = self.rng.normal(0, 0.9, 9)
        points = [(float(x), float(y + dy)) for x, dy in zip(steps, wobble, strict=True)]
        ImageDraw.Draw(mask).line(points, fill=235, width=2, joint="curve")
        np.maximum(self.ink, np.asarray(mask, np.float32) / 255, out=self.ink)

    def truth(self) -> Detections:
        """The boxes and labels of everything written."""
        return Detections(
            classes=np.array(self._labels, np.int64),
            scores=np.ones(len(self._labels), np.float32),
            boxes_xyxy=np.array(self._boxes, np.float32).reshape(-1, 4),
        )


def _some_hand(rng: np.random.Generator) -> _Hand:
    return _Hand(
        height=float(np.clip(rng.lognormal(np.log(36), 0.3), 24, 58)),
        slant=float(rng.normal(-3, 4)),
        weight=float(rng.uniform(0.36, 0.62)),
        pressure=float(rng.uniform(0.72, 0.97)),
    )


def _some_ruling(width: int, hand: _Hand, rng: np.random.Generator) -> Ruling:
    pattern = str(rng.choice(["ruled", "squared", "plain"], p=[0.6, 0.2, 0.2]))
    rows = hand.height * rng.uniform(1.55, 1.9)
    return Ruling(
        pattern=pattern,
        spacing=rows / 2 if pattern == "squared" else rows,
        first=rows * rng.uniform(1.0, 1.6),
        color=RULES[rng.integers(len(RULES))],
        margin=width * rng.uniform(0.07, 0.12) if rng.random() < 0.5 else None,
    )


def _write_rows(writing: _Writing, hand: _Hand, ruling: Ruling) -> None:
    rng = writing.rng
    rows = ruling.spacing * (2 if ruling.pattern == "squared" else 1)
    slope = rng.normal(0, 0.004)
    edge = (ruling.margin or writing.width * 0.04) + hand.height * 0.5
    columns = _columns(writing.width, edge, hand, rng)
    bases = np.arange(ruling.first, writing.height - 3, rows)
    full = len(bases) * sum(1 + digits for _, digits in columns) / 2
    filled = float(np.clip(TYPICAL_COUNT / max(full, 1), 0.45, 0.85))
    for base in bases:
        for column in columns:
            if rng.random() < filled:
                _write_number(writing, hand, column, base, slope)


def _columns(
    width: int, edge: float, hand: _Hand, rng: np.random.Generator
) -> tuple[tuple[float, float], ...]:
    """Where numbers begin and how many digits fit: one to four columns with gaps between."""
    fitting = max(1, int((width - edge) / (hand.height * 2.6)))
    count = int(rng.integers(1, min(4, fitting) + 1))
    pitch = (width - edge) / count
    digits = max(1.0, min(6.0, (pitch / hand.height - 0.9) / 0.85))
    return tuple((edge + i * pitch, digits) for i in range(count))


def _write_number(
    writing: _Writing, hand: _Hand, column: tuple[float, float], base: float, slope: float
) -> None:
    rng = writing.rng
    start, digits = column
    left: float | None = start + rng.uniform(0, 0.5) * hand.height
    count = int(rng.integers(1, int(digits) + 1))
    right = start
    for _ in range(count):
        lifted = base - 0.06 * hand.height + slope * float(left or 0)
        left = writing.digit(hand, float(left or 0), lifted)
        if left is None:
            break
        right = left
        left += rng.uniform(0.10, 0.30) * hand.height
    if count > 2 and rng.random() < 0.08:
        writing.underline(start, right + 4, base + 0.14 * hand.height)


def _drawn(
    scan: NDArray[np.float32], height: float, hand: _Hand, rng: np.random.Generator
) -> NDArray[np.float32]:
    """One digit as ink, cut tight: (h, w) in [0, 1] with h close to `height` pixels."""
    padded = Image.fromarray((np.pad(scan, 2) * 255).astype(np.uint8))
    smooth = padded.resize((120, 120), Image.Resampling.BICUBIC)
    turned = smooth.rotate(hand.slant + rng.normal(0, 4), Image.Resampling.BICUBIC)
    crisp = _tight(_stroke(turned, hand.weight))
    scale = height / crisp.shape[0]
    stretch = rng.uniform(0.88, 1.08)
    size = (max(4, round(crisp.shape[1] * scale * stretch)), max(8, round(height)))
    ink = np.asarray(Image.fromarray(crisp).resize(size, Image.Resampling.HAMMING))
    return _tight(np.clip(ink, 0, 1))


def _stroke(scan: Image.Image, weight: float) -> NDArray[np.float32]:
    """Sharpen a blurry scan into a pen stroke: local contrast, then a smooth step."""
    level = np.asarray(scan, np.float32) / 255
    around = np.asarray(scan.filter(ImageFilter.BoxBlur(12)), np.float32) / 255
    t = np.clip((level + LOCAL_CONTRAST * (level - around) - weight) / 0.25, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _tight(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    rows = np.flatnonzero(ink.max(axis=1) > VISIBLE)
    columns = np.flatnonzero(ink.max(axis=0) > VISIBLE)
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _press(page: NDArray[np.float32], ink: NDArray[np.float32], left: int, top: int) -> None:
    """Write ink onto a page in place; where two strokes meet, the darker one stays."""
    under = page[top : top + ink.shape[0], left : left + ink.shape[1]]
    np.maximum(under, ink, out=under)
