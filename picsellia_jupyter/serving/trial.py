"""The dry run: one made-up photo, predicted on twice before a kernel is announced."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

from picsellia_jupyter.domain.deployments import DryRun
from picsellia_jupyter.domain.errors import ModelLoadError, PicselliaJupyterError
from picsellia_jupyter.serving.pool import Pool
from picsellia_jupyter.serving.signature import LoadedModel

NAME = "dry-run.jpg"
_WIDTH, _HEIGHT = 761, 327
"""Sides that fit no model's input, so that a mistake in resizing shows."""


def run(pool: Pool, model: LoadedModel) -> DryRun:
    """Predict on a made-up photo: once cold, then timed.

    Args:
        pool: has a worker with the model.
        model: what the worker says of it.

    Raises:
        ModelLoadError: the model cannot predict on it.
    """
    image = photo()
    try:
        for _ in ("cold", "warm"):
            reply = pool.submit(image, NAME, record=False).result()
    except PicselliaJupyterError as error:
        raise ModelLoadError(
            f"The dry run failed: {error.fact}", error.remedy, log_tail=pool.log_tail
        ) from error
    return DryRun(reply.latency_s, len(reply.found), model.runtime, model.sandbox)


def photo() -> bytes:
    """A JPEG with light and shade, noise and a few shapes; the same every time."""
    noise = np.random.default_rng(7).normal(0, 8, (_HEIGHT, _WIDTH, 3))
    shade = np.linspace(90, 210, _WIDTH)[None, :, None] - np.linspace(0, 60, _HEIGHT)[:, None, None]
    image = Image.fromarray(np.clip(shade + noise, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.rectangle((70, 60, 230, 250), fill=(40, 60, 120))
    draw.ellipse((300, 90, 470, 260), fill=(220, 190, 60), outline=(20, 20, 20), width=6)
    draw.line((520, 280, 720, 50), fill=(15, 15, 15), width=14)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()
