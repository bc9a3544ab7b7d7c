"""The test photo and how it goes into a model, written without our code."""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 200, 150


@functools.cache
def photo() -> Image.Image:
    """Blobs of colour and noise, the same every time."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 255, (6, 8, 3)).astype(np.uint8)
    image = Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    noisy = np.asarray(image).astype(int) + rng.integers(-20, 20, (HEIGHT, WIDTH, 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def encoded() -> bytes:
    out = io.BytesIO()
    photo().save(out, "PNG")
    return out.getvalue()


@dataclass(frozen=True)
class View:
    """Where the photo lies in a square input."""

    side: int = 64
    resize: str = "letterbox"
    anchor: str = "centre"
    scale: float = 255.0
    imagenet: bool = False
    bgr: bool = False
    share: float = 1.0
    """Of the photo's shorter side, with a crop."""

    @property
    def ratio(self) -> tuple[float, float]:
        """Pixels of the input for one of the photo, in x and y."""
        if self.resize == "stretch":
            return self.side / WIDTH, self.side / HEIGHT
        return (self.side / max(WIDTH, HEIGHT),) * 2

    @property
    def offset(self) -> tuple[int, int]:
        if self.anchor == "top_left" or self.resize == "stretch":
            return 0, 0
        return (self.side - round(WIDTH * self.ratio[0])) // 2, (
            self.side - round(HEIGHT * self.ratio[1])
        ) // 2

    def input(self) -> np.ndarray:
        """(1, 3, side, side) float32."""
        drawn = self.cropped() if self.resize == "crop" else self.placed()
        pixels = np.asarray(drawn, np.float32) / self.scale
        if self.bgr:
            pixels = pixels[..., ::-1]
        if self.imagenet:
            pixels = (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
        return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)

    def placed(self) -> Image.Image:
        sides = round(WIDTH * self.ratio[0]), round(HEIGHT * self.ratio[1])
        canvas = Image.new("RGB", (self.side, self.side), (114, 114, 114))
        canvas.paste(photo().resize(sides, Image.Resampling.BILINEAR), self.offset)
        return canvas

    def cropped(self) -> Image.Image:
        """As torchvision's Resize and CenterCrop; the photo is wider than it is high."""
        shorter = round(self.side / self.share)
        whole = photo().resize((shorter * WIDTH // HEIGHT, shorter), Image.Resampling.BILINEAR)
        left, top = ((side - self.side) // 2 for side in whole.size)
        return whole.crop((left, top, left + self.side, top + self.side))

    def back(self, xy: np.ndarray) -> np.ndarray:
        """(..., 2) points of the input as points of the photo, clipped to it."""
        points = (np.asarray(xy, float) - self.offset) / self.ratio
        return np.clip(points, 0, (WIDTH, HEIGHT))

    def boxes_back(self, xyxy: np.ndarray) -> np.ndarray:
        return self.back(np.reshape(xyxy, (-1, 2, 2))).reshape(-1, 4)

    def sampled(self, grids: np.ndarray) -> np.ndarray:
        """(N, h, w) grids over the whole input, read at the photo's pixels by torch: (N, H, W)."""
        import torch

        x = (np.arange(WIDTH) + 0.5) * self.ratio[0] + self.offset[0]
        y = (np.arange(HEIGHT) + 0.5) * self.ratio[1] + self.offset[1]
        where = np.stack(np.meshgrid(x, y), axis=-1) / self.side * 2 - 1
        read = torch.nn.functional.grid_sample(
            torch.from_numpy(np.asarray(grids, np.float32))[None],
            torch.from_numpy(where.astype(np.float32))[None],
            mode="bilinear",
            padding_mode="border",
            align_corners=False,
        )
        return read[0].numpy()
