"""The keys of serving.json, read one by one: every mistake is told by its key."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import Any

from picsellia_jupyter.domain.errors import ModelLoadError

FILE_NAME = "serving.json"


class Keys:
    """Reads the keys of one object, and says which one is wrong."""

    def __init__(self, raw: Mapping[str, Any], prefix: str) -> None:
        self._raw = raw
        self._prefix = prefix
        self._asked: list[str] = []

    def error(self, key: str, remedy: str) -> ModelLoadError:
        """What to raise where a key has a value that cannot be used."""
        name = f"{FILE_NAME}: {self._prefix}{key}"
        said = f"is {self._raw[key]!r}" if key in self._raw else "is missing"
        return ModelLoadError(f"{name} {said}.", remedy)

    def whole(self, key: str, default: int | None, *, low: int = 1, high: int = 1 << 31) -> int:
        """A whole number in [low, high]."""
        value = self._value(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.error(key, f"Give a whole number from {low} to {high}.")
        return value

    def number(
        self, key: str, default: float, *, low: float = -math.inf, high: float = math.inf
    ) -> float:
        """A number in [low, high]."""
        value = self._value(key, default)
        if not _is_number(value) or not low <= value <= high:
            raise self.error(key, f"Give a number from {low:g} to {high:g}.")
        return float(value)

    def whole_or_none(self, key: str, default: int | None, *, low: int, high: int) -> int | None:
        """A whole number in [low, high], or null."""
        if self._raw.get(key, default) is None:
            self._asked.append(key)
            return None
        return self.whole(key, default, low=low, high=high)

    def numbers(
        self, key: str, default: tuple[float, ...], *, low: float = -math.inf
    ) -> tuple[float, ...]:
        """As many numbers as the default has, each at least `low`."""
        value = self._value(key, default)
        fits = isinstance(value, list | tuple) and len(value) == len(default)
        if not fits or not all(_is_number(item) and item >= low for item in value):
            raise self.error(key, f"Give a list of {len(default)}, one number per channel.")
        return tuple(map(float, value))

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._value(key, default)
        if not isinstance(value, bool):
            raise self.error(key, "Give true or false.")
        return value

    def choice(self, key: str, default: str | None, known: Sequence[str]) -> str:
        """One of the known words."""
        value = self._value(key, default)
        if value not in known:
            raise self.error(key, f"Use one of: {', '.join(known)}.")
        return str(value)

    def object(self, key: str) -> Mapping[str, Any]:
        """An object, empty where it is left out."""
        value = self._value(key, {})
        if not isinstance(value, dict):
            raise self.error(key, "Give an object.")
        return value

    def skip(self, *keys: str) -> None:
        """Take keys for known that somebody else reads."""
        self._asked.extend(keys)

    def check_all_known(self) -> None:
        """Refuse keys nobody asked for: a misspelt one would silently do nothing."""
        for key in self._raw:
            if key not in self._asked:
                near = difflib.get_close_matches(key, self._asked, n=1)
                hint = f"Did you mean {near[0]!r}?" if near else "Leave it out."
                raise ModelLoadError(f"{FILE_NAME}: there is no key {self._prefix}{key}.", hint)

    def _value(self, key: str, default: Any) -> Any:
        self._asked.append(key)
        return self._raw.get(key, default)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
