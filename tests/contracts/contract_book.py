"""Notes every call of the SDK, what was to come of it, and whether it did."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from picsellia import Client
from picsellia.exceptions import PicselliaError
from PIL import Image


@dataclass
class Book:
    """The record of one run; a step is one call of a public method with what it must give."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    chapter: str = ""

    def call(self, method: Callable, *args, gives: Callable[[Any], Any], **options):
        """Call a method; `gives` is told its result and says whether that is right."""
        value = method(*args, **options)
        right = gives(value)
        self._note(method, right is True or bool(right), f"gave {value!r}")
        return value

    def refused(self, method: Callable, *args, says: str, kind: str = "", **options) -> None:
        """Call a method that must be refused with these words."""
        try:
            value = method(*args, **options)
        except (PicselliaError, AssertionError, ValueError) as error:
            right = says in str(error) and kind in ("", type(error).__name__)
            self._note(method, right, f"{type(error).__name__}: {error}")
        else:
            self._note(method, False, f"was not refused, gave {value!r}")

    def read(self, chapter: Callable[[Book, World], None], world: World) -> None:
        """Go through a chapter; what it raises is a failed step."""
        self.chapter = chapter.__name__
        try:
            chapter(self, world)
        except Exception:  # noqa: BLE001 - the test shows it
            self._note(chapter, False, traceback.format_exc())

    def _note(self, method: Callable, right: bool, seen: str) -> None:
        owner = getattr(method, "__self__", None)
        name = f"{type(owner).__name__}.{method.__name__}" if owner else method.__name__
        self.steps.append(
            {"chapter": self.chapter, "method": name, "ok": right, "seen": seen[:3000]}
        )


@dataclass
class World:
    """What chapters leave for those after them."""

    host: str
    token: str
    folder: Path
    client: Client
    things: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.things[name]
        except KeyError:
            raise AttributeError(name) from None

    def keep(self, **things: Any) -> None:
        self.things.update(things)

    def photo(self, name: str, shade: int = 0, size: tuple[int, int] = (48, 32)) -> str:
        path = self.folder / name
        Image.new("RGB", size, (shade % 256, 80, 160)).save(path)
        return str(path)

    def text(self, name: str, said: str) -> str:
        path = self.folder / name
        path.write_text(said)
        return str(path)


def names(items) -> list[str]:
    return sorted(item.name for item in items)


def filenames(items) -> list[str]:
    return sorted(item.filename for item in items)
