"""A text that nobody is shown."""

from __future__ import annotations

from typing import Any, NoReturn

from typing_extensions import Self, override


class Secret(str):
    """A token or password: a text like any other, but not where values are shown or kept.

    Its `repr` hides it, so that of whatever holds it does, and so do `vars` and tracebacks with
    variables. It cannot be pickled. `str(secret)` is the plain text.
    """

    __slots__ = ()

    @override
    def __repr__(self) -> str:
        return "'…'" if self else "''"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self

    @override
    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError("A token or password is not pickled: ask for it anew where it is needed.")


def hide(holder: object, name: str) -> None:
    """Make the text in an attribute of a frozen value a secret; None stays as it is."""
    text = getattr(holder, name)
    if text is not None:
        object.__setattr__(holder, name, Secret(text))
