"""A secret is used as any text is, and shown and kept nowhere."""

import copy
import dataclasses
import json
import pickle

import pytest

from picsellia_jupyter.clients.jupyter import JupyterServer
from picsellia_jupyter.domain.places import Kind, Place
from picsellia_jupyter.domain.secret_text import Secret
from picsellia_jupyter.launch.local_platform import RunningPlatform
from picsellia_jupyter.settings import PlaceTokens, Settings

CANARY = "canary-4b1d"


def holders(tmp_path) -> list:
    return [
        Settings(home=tmp_path, token=CANARY),
        JupyterServer("http://h", CANARY),
        Place(Kind.SERVER, "gpu1", "http://h", CANARY),
        RunningPlatform("http://h", CANARY, "o", 1),
    ]


def test_it_is_a_text_to_whatever_uses_it():
    secret = Secret(CANARY)
    assert secret == CANARY
    assert f"Bearer {secret}" == f"Bearer {CANARY}"
    assert json.loads(json.dumps({"token": secret})) == {"token": CANARY}
    assert type(str(secret)) is str
    assert copy.deepcopy([secret]) == [CANARY]
    assert copy.copy(secret) is secret
    assert not Secret("")


def test_it_is_not_in_what_shows_it_or_its_holder():
    shown = [repr(Secret(CANARY)), repr({"token": Secret(CANARY)}), f"{Secret(CANARY)!r}"]
    assert CANARY not in "".join(shown)
    assert repr(Secret("")) == "''"


def test_it_is_not_pickled_and_says_what_to_do():
    with pytest.raises(TypeError, match="is not pickled: ask for it anew where it is needed"):
        pickle.dumps({"token": Secret(CANARY)})


def test_whatever_holds_a_token_hides_it_and_is_not_pickled(tmp_path):
    for holder in holders(tmp_path):
        assert holder.token == CANARY
        assert CANARY not in repr(holder)
        assert CANARY not in repr(dataclasses.asdict(dataclasses.replace(holder)))
        with pytest.raises(TypeError):
            pickle.dumps(holder)


def test_tokens_of_places_are_not_in_vars():
    tokens = PlaceTokens({"PICSELLIA_PLACE_TOKEN": CANARY})
    assert tokens["PICSELLIA_PLACE_TOKEN"] == CANARY
    assert not hasattr(tokens, "__dict__")
    assert CANARY not in repr(dict(tokens))
