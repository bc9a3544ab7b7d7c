"""Fits an outlier model: `python -m picsellia_jupyter.localplatform.reconstruction IN OUT`.

A program of its own, so that the platform's process never imports torch. IN is an `.npy` of
(N, 32, 32, 3) RGB images, OUT becomes an `.npz` of weights and the errors of a held-out fifth.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.workflows.autoencoders import LAYERS, LEAK, errors

SEED = 7
STEPS = 400
_BATCH = 32
_RATE = 2e-3
_HELD_OUT = 5
"""One image in so many is not fitted on, and tells what errors are usual."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit; 0 where it went well."""
    source, target = (Path(one) for one in (arguments or sys.argv[1:]))
    images = np.load(source, allow_pickle=False)
    order = np.random.default_rng(SEED).permutation(len(images))
    held_out = images[order[: max(len(images) // _HELD_OUT, 1)]]
    weights = fitted(images[order[len(held_out) :]])
    with target.open("wb") as stream:
        everything: dict[str, Any] = {**weights, "held_out": errors(weights, held_out)}
        np.savez(stream, **everything)
    return 0


def fitted(images: NDArray[np.uint8], *, steps: int = STEPS) -> dict[str, NDArray[np.float32]]:
    """The weights of an auto-encoder after so many steps, the same ones in each run."""
    import torch

    # The nets are tiny: more threads only wait for each other, and for what else runs here.
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    net = _net()
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    descent = torch.optim.Adam(net.parameters(), lr=_RATE)
    random = np.random.default_rng(SEED)
    parent = os.getppid()
    for _ in range(steps):
        if os.getppid() != parent:
            raise SystemExit("whoever asked is gone")
        some = pixels[random.integers(0, len(pixels), _BATCH)]
        loss = torch.nn.functional.mse_loss(net(some), some)
        descent.zero_grad()
        loss.backward()
        descent.step()
    return {name: value.detach().numpy() for name, value in net.state_dict().items()}


def _net() -> Any:
    """The layers of `LAYERS` in torch, with their names."""
    from torch import nn

    net = nn.Sequential()
    for name, inside, outside, stride, doubled in LAYERS:
        if doubled:
            net.add_module(f"{name}_doubled", nn.Upsample(scale_factor=2))
        net.add_module(name, nn.Conv2d(inside, outside, 3, stride, padding=1))
        is_last = name == LAYERS[-1][0]
        net.add_module(f"{name}_bent", nn.Sigmoid() if is_last else nn.LeakyReLU(LEAK))
    return net


if __name__ == "__main__":
    sys.exit(main())
