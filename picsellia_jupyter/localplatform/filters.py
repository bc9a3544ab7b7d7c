"""The query language of lists: `tags.name in ("a", "b") and filename = "x.png"`.

Only what the SDK generates by itself and a little more: fields, `=`, `!=`, `<`, `>`, `in`,
joined with `and`. Everything else is refused, never ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.localplatform.tables.datalakes import Data, DataSource, Tag, TagLink

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*"|'[^']*')|(?P<number>-?\d+(?:\.\d+)?)
    |(?P<word>[A-Za-z_][\w.-]*)|(?P<sign>!=|<=|>=|[=<>(),]))""",
    re.VERBOSE,
)
Value = str | float
Comparison = Callable[[str, list[Value]], ColumnElement[bool]]
"""Makes a condition from an operator and its values."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One `field operator values` of a query."""

    field: str
    operator: str
    values: list[Value]


def data_matches(
    query: str | None, *, prefix: str = "", own: Mapping[str, Comparison] | None = None
) -> ColumnElement[bool]:
    """A condition on `Data` from a query.

    Args:
        query: as the user or the SDK wrote it; None or empty matches everything.
        prefix: what fields of the data begin with, such as `data.`; it may be left out.
        own: fields of what holds the data, such as the tags of an asset; they come first.

    Raises:
        InvalidInputError: it cannot be read, or names an unknown field.
    """
    conditions: list[ColumnElement[bool]] = [true()]
    for part in parse(query or ""):
        field = part.field.removeprefix(prefix)
        compare = (own or {}).get(part.field) or _DATA_FIELDS.get(field)
        if compare is None:
            raise InvalidInputError(
                f"Data cannot be filtered by {part.field!r}.",
                f"Known: {', '.join(_DATA_FIELDS)}.",
            )
        conditions.append(compare(part.operator, part.values))
    return and_(*conditions)


def metadata_matches(text: str | None) -> ColumnElement[bool]:
    """A condition on the custom metadata of `Data`, from a JSON object of wanted values.

    Raises:
        InvalidInputError: it is no such object.
    """
    if not text:
        return true()
    try:
        wanted = json.loads(text)
    except ValueError:
        wanted = None
    if not isinstance(wanted, dict):
        raise InvalidInputError(f"custom_metadata is {text!r}, not an object.", 'Send {"key": 1}.')
    return and_(true(), *(_metadata_is(key, value) for key, value in wanted.items()))


def parse(query: str) -> list[Condition]:
    """Read a query.

    Raises:
        InvalidInputError: it does not follow the language.
    """
    tokens, conditions = list(_tokens(query)), []
    while tokens:
        conditions.append(_condition(tokens, query))
        if not tokens:
            break
        if tokens.pop(0) != ("word", "and") or not tokens:
            raise _unreadable(query)
    return conditions


def _tokens(query: str) -> Iterator[tuple[str, str]]:
    at = 0
    while query[at:].strip():
        found = _TOKEN.match(query, at)
        if found is None or found.lastgroup is None:
            raise _unreadable(query)
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


def _condition(tokens: list[tuple[str, str]], query: str) -> Condition:
    try:
        kind, field = tokens.pop(0)
        _, operator = tokens.pop(0)
        if kind != "word" or operator not in (*_OPERATORS, "in"):
            raise _unreadable(query)
        values = _values(tokens) if operator == "in" else [_value(tokens.pop(0))]
    except (IndexError, ValueError):
        raise _unreadable(query) from None
    return Condition(field, operator, values)


def _values(tokens: list[tuple[str, str]]) -> list[Value]:
    if tokens.pop(0) != ("sign", "("):
        raise ValueError
    values = [_value(tokens.pop(0))]
    while (token := tokens.pop(0)) == ("sign", ","):
        values.append(_value(tokens.pop(0)))
    if token != ("sign", ")"):
        raise ValueError
    return values


def _value(token: tuple[str, str]) -> Value:
    kind, text = token
    if kind == "text":
        return text[1:-1]
    if kind == "number":
        return float(text)
    raise ValueError


def _unreadable(query: str) -> InvalidInputError:
    return InvalidInputError(
        f"The query {query!r} cannot be read.",
        'Write FIELD = "value" or FIELD in ("a", "b"), joined with `and`.',
    )


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}


def _plain(column: Any) -> Comparison:
    def compare(operator: str, values: list[Value]) -> ColumnElement[bool]:
        if operator == "in":
            return cast("ColumnElement[bool]", column.in_(values))
        return cast("ColumnElement[bool]", _OPERATORS[operator](column, values[0]))

    return compare


def tagged(target: InstrumentedAttribute[str]) -> Comparison:
    """Compares the names of the tags that are on a thing, by the thing's id."""

    def compare(operator: str, values: list[Value]) -> ColumnElement[bool]:
        links = select(TagLink.target_id).join(Tag, Tag.id == TagLink.tag_id)
        found = target.in_(links.where(Tag.name.in_([str(value) for value in values])))
        return ~found if operator == "!=" else found

    return compare


def _from_source(operator: str, values: list[Value]) -> ColumnElement[bool]:
    return Data.data_source_id.in_(
        select(DataSource.id).where(_plain(DataSource.name)(operator, values))
    )


def _metadata_is(key: str, value: object) -> ColumnElement[bool]:
    field: Any = Data.custom_metadata[key]
    if isinstance(value, bool):
        same = field.as_boolean().is_(value)
    elif isinstance(value, (int, float)):
        same = field.as_float() == float(value)
    else:
        same = field.as_string() == str(value)
    return cast("ColumnElement[bool]", same)


_DATA_FIELDS: Mapping[str, Comparison] = {
    "id": _plain(Data.id),
    "filename": _plain(Data.filename),
    "object_name": _plain(Data.object_name),
    "content_type": _plain(Data.content_type),
    "type": _plain(Data.type),
    "width": _plain(Data.width),
    "height": _plain(Data.height),
    "created_at": _plain(Data.created_at),
    "tags.name": tagged(Data.id),
    "data_source.name": _from_source,
}
