"""Names: which ones are taken, and which ones are made up."""

from __future__ import annotations

import re
import secrets
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
    if not (0 < len(text.strip()) <= 200) or not text.isprintable():
        raise ValueError("use 1 to 200 printable characters")
    return text


def _checked_filename(name: str) -> str:
    if not (0 < len(name) <= 255) or not name.isprintable() or name in (".", ".."):
        raise ValueError("use 1 to 255 printable characters")
    if "/" in name or "\\" in name:
        raise ValueError("a file name has no slashes; it is stored flat")
    return name


Name = Annotated[str, AfterValidator(_checked_name)]
"""Of a model, version, deployment or datalake."""
Words = Annotated[str, AfterValidator(_checked_words)]
"""Free text of one line: a tag, a source, what a model file is asked for by."""
Filename = Annotated[str, AfterValidator(_checked_filename)]
"""Without any path; whoever downloads the file gets it under this name."""
