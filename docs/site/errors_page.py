"""The catalogue of errors: each class, when it is raised, and what its messages say.

Messages are read from the source, where they are written: a fact, then a remedy.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import picsellia_jupyter
from docs.site.tables import page as made
from docs.site.tables import sentence, table
from picsellia_jupyter.domain import errors

PACKAGE = Path(picsellia_jupyter.__file__).parent

_BEGINNING = """\
Each error a user can act on says a fact, with the value that was wrong, and then what to do about it. In a notebook it is shown without
a traceback; `error.fact` and `error.remedy` are its parts, and `__cause__` is what lay behind it. All derive from
`picsellia_jupyter.PicselliaJupyterError`. Over HTTP they are `{"message": …, "detail": …}` with the same words.

`…` in a message stands for a value. The sentences are read from the source code, so that this page has those that this version says;
some are put together from parts as they are raised and are not listed."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it is written."""

    error: str
    """Name of the class."""
    fact: str
    remedy: str
    where: str
    """Module that raises it, as a path within the package."""


def page() -> str:
    """The page."""
    tree = f"```text\n{_drawn_tree()}\n```"
    known = classes()
    parts = [_section(name, kind) for name, kind in known.items()]
    return made("Errors", _BEGINNING, "## The tree", tree, *parts)


@cache
def classes() -> dict[str, type[errors.PicselliaJupyterError]]:
    """Our errors by name, each after the one it derives from."""
    _import_all()
    found: dict[str, type[errors.PicselliaJupyterError]] = {}

    def walk(kind: type[errors.PicselliaJupyterError]) -> None:
        found.setdefault(kind.__name__, kind)
        for inner in kind.__subclasses__():
            walk(inner)

    walk(errors.PicselliaJupyterError)
    return found


@cache
def messages() -> tuple[Message, ...]:
    """Every message in the source whose fact is written out there."""
    return tuple(
        message for path in sorted(PACKAGE.rglob("*.py")) for message in _messages_in(path)
    )


def _import_all() -> None:
    # A class is known once its module is; only modules that define one are imported.
    for path in PACKAGE.rglob("*.py"):
        if "Error(" in (text := path.read_text("utf-8")) and "class " in text and _defines(text):
            name = path.relative_to(PACKAGE.parent).with_suffix("").as_posix().replace("/", ".")
            import_module(name)


def _defines(text: str) -> bool:
    return any(
        line.startswith("class ") and "Error(" in line and not line.startswith("class _")
        for line in text.splitlines()
    )


def _messages_in(path: Path) -> Iterator[Message]:
    where = path.relative_to(PACKAGE).as_posix()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
            continue
        if node.func.id not in classes():
            continue
        fact = _written(node.args[0])
        if not any(char.isalpha() for char in fact):
            continue
        given = [kw.value for kw in node.keywords if kw.arg == "remedy"] or node.args[1:2]
        yield Message(node.func.id, fact, _written(given[0]) if given else "", where)


def _written(node: ast.expr) -> str:
    """A text as it stands in the source, values as `…`; empty for what is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_written(part) or "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _written(node.left) + _written(node.right)
    return ""


def _drawn_tree() -> str:
    doc = errors.__doc__ or ""
    return doc[doc.index("PicselliaJupyterError") :].rstrip()


def _section(name: str, kind: type[errors.PicselliaJupyterError]) -> str:
    base = kind.__mro__[1].__name__
    parts = [f"## {name}", _said_of(kind)]
    if kind is not errors.PicselliaJupyterError:
        parts.append(f"A [{base}](#{base.lower()}), in `{kind.__module__}`.")
    rows = sorted({(_shown(m.fact), _shown(m.remedy)) for m in messages() if m.error == name})
    if rows:
        parts.append(table(("says", "remedy"), rows))
    return "\n\n".join(parts)


def _said_of(kind: type) -> str:
    return sentence((inspect.getdoc(kind) or "").split("\n\n")[0])


def _shown(text: str) -> str:
    for char in "\\`*_<>[]$":
        text = text.replace(char, f"\\{char}")
    return text
