"""The auto-encoder in numpy against torch, and what it tells of images."""

import numpy as np
import pytest

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.workflows.autoencoders import (
    EMBEDDING,
    LAYERS,
    SIDE,
    OutlierModel,
    embedded,
    errors,
    reconstructed,
    threshold_of,
)


def random_weights(seed=1):
    random = np.random.default_rng(seed)
    found = {}
    for name, inside, outside, *_ in LAYERS:
        found[f"{name}.weight"] = random.normal(0, 0.2, (outside, inside, 3, 3)).astype(np.float32)
        found[f"{name}.bias"] = random.normal(0, 0.1, outside).astype(np.float32)
    return found


def test_numpy_gives_back_what_torch_does():
    torch = pytest.importorskip("torch")

    from picsellia_jupyter.localplatform.reconstruction import _net

    weights, net = random_weights(), _net()
    net.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    pixels = np.random.default_rng(2).random((3, 3, SIDE, SIDE), np.float32)
    with torch.no_grad():
        expected = net(torch.from_numpy(pixels)).numpy()
    assert reconstructed(weights, pixels) == pytest.approx(expected, abs=1e-5)
    images = np.random.default_rng(4).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    with torch.no_grad():
        narrow = net[:6](torch.from_numpy(images).permute(0, 3, 1, 2) / 255).flatten(1).numpy()
    assert narrow.shape == (2, EMBEDDING)
    assert embedded(weights, list(images)) == pytest.approx(narrow, abs=1e-5)
    assert embedded(weights, []).shape == (0, EMBEDDING)


def test_a_score_is_the_mean_squared_difference():
    images = np.random.default_rng(3).integers(0, 256, (70, SIDE, SIDE, 3), np.uint8)
    weights = random_weights()
    pixels = images.transpose(0, 3, 1, 2).astype(np.float32) / 255
    expected = [((reconstructed(weights, one[None]) - one) ** 2).mean() for one in pixels]
    assert errors(weights, images) == pytest.approx(expected, abs=1e-6)
    assert len(errors(weights, images[:0])) == 0


def test_the_threshold_leaves_a_share_of_the_held_out_images_over_it():
    held_out = np.arange(100.0)
    assert (held_out > threshold_of(held_out, 0.05)).sum() == 5


def test_what_cannot_be_used_is_refused_with_a_remedy():
    with pytest.raises(InvalidInputError, match="contamination is") as refused:
        threshold_of(np.zeros(3), 0.9)
    assert "one training image in twenty" in refused.value.remedy
    with pytest.raises(InvalidInputError, match=r"shape \(1, 8, 8, 3\)"):
        errors({}, np.zeros((1, 8, 8, 3), np.uint8))
    with pytest.raises(InvalidInputError, match=r"no encode1.weight of shape \(16, 3, 3, 3\)"):
        OutlierModel({}, 0.1)
