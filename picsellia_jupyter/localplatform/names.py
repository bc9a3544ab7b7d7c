"""Names: which ones are taken, and which ones are made up."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Collection
from typing import Annotated

from pydantic import AfterValidator

_NAME = re.compile(r"\w[\w .()+-]{0,99}")
_ADJECTIVES = (
    "amber", "ancient", "autumn", "bold", "brave", "bright", "calm", "clever", "cosmic", "curious",
    "eager", "early", "energetic", "fair", "gentle", "golden", "happy", "hidden", "humble", "keen",
    "lively", "lucky", "mellow", "misty", "modest", "noble", "patient", "polite", "proud", "quick",
    "quiet", "rapid", "serene", "silent", "steady", "sunny", "tender", "vivid", "warm", "wise",
)  # fmt: skip
_NOUNS = (
    "badger", "bay", "beacon", "birch", "bridge", "brook", "canyon", "cave", "cliff", "cloud",
    "comet", "coral", "dune", "eagle", "ember", "falcon", "fern", "field", "forest", "garden",
    "glacier", "harbor", "heron", "hill", "island", "lagoon", "lantern", "maple", "meadow",
    "orchard", "otter", "pebble", "pine", "prairie", "reef", "river", "sparrow", "summit", "valley",
    "willow",
)  # fmt: skip
_CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})
_OVERRIDES = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
"""They make a name read as another one: `gpj.exe` as `exe.jpg`."""


def invented_name(taken: Collection[str]) -> str:
    """Two words that nobody uses yet, as `energetic-cave`."""
    for _ in range(50):
        name = f"{secrets.choice(_ADJECTIVES)}-{secrets.choice(_NOUNS)}"
        if name not in taken:
            return name
    return f"{secrets.choice(_ADJECTIVES)}-{secrets.choice(_NOUNS)}-{secrets.token_hex(3)}"


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            "use 1 to 100 letters, digits, spaces, dots, dashes, underscores, plus signs or "
            "brackets, a letter or digit first"
        )
    return name


def _checked_words(text: str) -> str:
    if not (0 < len(text.strip()) <= 200):
        raise ValueError("use 1 to 200 characters")
    return _without_tricks(text)


def _checked_filename(name: str) -> str:
    if not (0 < len(name) <= 255) or name in (".", ".."):
        raise ValueError("use 1 to 255 characters")
    _without_tricks(name)
    if "/" in name or "\\" in name:
        raise ValueError("a file name has no slashes; it is stored flat")
    return name


def _without_tricks(text: str) -> str:
    if any(unicodedata.category(sign) in _CONTROLS for sign in text):
        raise ValueError("leave out control characters, line breaks and halves of characters")
    if any(unicodedata.bidirectional(sign) in _OVERRIDES for sign in text):
        raise ValueError("leave out characters that turn the writing direction around")
    return text


Name = Annotated[str, AfterValidator(_checked_name)]
"""Of a model, version, deployment or datalake."""
Words = Annotated[str, AfterValidator(_checked_words)]
"""Free text of one line: a tag, a source, what a model file is asked for by."""
Filename = Annotated[str, AfterValidator(_checked_filename)]
"""Without any path; whoever downloads the file gets it under this name."""
