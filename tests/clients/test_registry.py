"""The registry is read at once where a platform can, else model by model."""

import pytest

from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain.registry import Framework, InferenceType


@pytest.fixture(scope="module")
def client(platform):
    connected = PlatformClient.connect(platform.host, platform.token)
    for name, versions in (("crops", 3), ("pages", 1), ("empty", 0)):
        model = connected.create_model(name, "")
        for _ in range(versions):
            connected.create_version(
                model, kind=InferenceType.CLASSIFICATION, framework=Framework.ONNX, labels={0: "a"}
            )
    return connected


MADE = {"crops", "pages", "empty"}


def told(models):
    """The models that were made here; others use the same platform."""
    made = (model for model in models if model.name in MADE)
    return {model.name: [version.version for version in model.versions] for model in made}


def test_every_model_comes_with_its_versions_oldest_first(client):
    assert told(client.registry()) == {"crops": [0, 1, 2], "pages": [0], "empty": []}


def test_a_platform_without_that_route_is_asked_model_by_model(client, monkeypatch):
    at_once = client.registry()
    monkeypatch.setattr(client, "capabilities", client.capabilities - {"all_versions"})
    asked = []
    monkeypatch.setattr(client, "versions", lambda model: asked.append(model.name) or [])
    assert told(client.registry()) == {"crops": [], "pages": [], "empty": []}
    assert set(asked) >= MADE
    monkeypatch.undo()
    assert client.registry() == at_once
