"""Filters of recorded predictions as the platforms take them."""

from __future__ import annotations

from picsellia_jupyter.domain.errors import InvalidInputError, PlatformError
from picsellia_jupyter.domain.recorded import Wanted

_LANGUAGE = {"tag": "data.tags.name", "source": "data.data_source.name"}
"""What the query language of the cloud calls the fields that it is known to have."""


def wanted_to_query(wanted: Wanted) -> dict[str, str]:
    """A filter as parameters of the local platform's own route."""
    return {name: f"{value}" for name, value in wanted.given().items()}


def query_language(wanted: Wanted, page: str) -> dict[str, str]:
    """A filter in Picsellia's query language, as the parameter `q`.

    Raises:
        PlatformError: it asks for something that the language is not known to have.
        InvalidInputError: a name holds both kinds of quotes.
    """
    given = wanted.given()
    unknown = [name for name in given if name not in _LANGUAGE]
    if unknown:
        raise PlatformError(
            f"Predictions of the cloud cannot be filtered here by {', '.join(unknown)}.",
            f"Filter them on the page of the deployment: {page}",
        )
    parts = [f"{_LANGUAGE[name]} = {_quoted(str(value))}" for name, value in given.items()]
    return {"q": " and ".join(parts)} if parts else {}


def _quoted(text: str) -> str:
    if '"' not in text:
        return f'"{text}"'
    if "'" not in text:
        return f"'{text}'"
    raise InvalidInputError(f"{text!r} holds both kinds of quotes.", "Ask for another name.")
