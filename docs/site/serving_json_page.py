"""serving.json, from the dataclasses that it is read into."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json

from docs.site.tables import code, sentence, table
from docs.site.tables import page as made
from picsellia_jupyter.serving import manifest

_BEGINNING = """\
A file `serving.json` stored beside the model file says what a trial run cannot find, or corrects it. Everything may be left out. A key that
is not known, has a wrong value or contradicts the model is refused by its name, before anything is served.
[Models that can be served](../models.md) tells what is found without it, what each head reads, and the defaults of each head.

```json
{
  "format": 1,
  "input": {"width": 640, "height": 640, "resize": "letterbox", "channels": "RGB", "scale": 255},
  "head": "yolo8",
  "iou_threshold": 0.7
}
```"""

NOT_WRITTEN = ("input", "kind", "notes")
"""Fields of the manifest that are no keys: found, or said elsewhere."""

_BESIDE = (
    ("`format`", "whole number", "`1`", "The form of this file."),
    ("`input`", "object", "", "How a photo becomes the model's input: see below."),
)
_APART = (
    (
        "`architecture`",
        "name or object",
        "",
        'Of a file of mere weights: the registered network, or `{"name": …}` with its arguments.',
    ),
    (
        "`cuda_graphs`",
        "whole numbers",
        "",
        "Batch sizes of a PyTorch program that are recorded as CUDA graphs; `[]` for none.",
    ),
)
"""Keys that are read before or beside the manifest."""


def page() -> str:
    """The page."""
    head = ("key", "type", "default", "is")
    outer = [row for row in rows(manifest.Manifest) if row[0].strip("`") not in NOT_WRITTEN]
    heads = [
        (code(name), ", ".join(kind.value for kind in kinds))
        for name, kinds in manifest.HEADS.items()
    ]
    return made(
        "serving.json",
        _BEGINNING,
        "## Keys",
        table(head, [*_BESIDE, *outer, *_APART]),
        "## Keys of input",
        "Where there is no default, the model file's own shape tells, else 640 x 640 (224 x 224 for a classification).",
        table(head, rows(manifest.InputSpec)),
        "## Values of head",
        table(("head", "types of model versions"), heads),
    )


def rows(kind: type) -> list[tuple[str, str, str, str]]:
    """Key, type, default and meaning of every field of a dataclass."""
    meanings = _meanings(kind)
    return [
        (code(f.name), _type(str(f.type)), _default(f), sentence(meanings.get(f.name, "")))
        for f in dataclasses.fields(kind)
    ]


def _meanings(kind: type) -> dict[str, str]:
    """The docstring beneath each field."""
    [body] = [
        node for node in ast.parse(inspect.getsource(kind)).body if isinstance(node, ast.ClassDef)
    ]
    found = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
            assert isinstance(field.target, ast.Name)
            assert isinstance(below.value, ast.Constant)
            found[field.target.id] = str(below.value.value)
    return found


def _type(annotation: str) -> str:
    words = {
        "int": "whole number",
        "float": "number",
        "str": "text",
        "bool": "true or false",
        "int | None": "whole number or null",
        "tuple[float, ...]": "list of numbers",
    }
    return words.get(annotation, annotation)


def _default(field: dataclasses.Field[object]) -> str:
    if field.default is dataclasses.MISSING:
        return ""
    # As JSON spells it.
    return code(field.default if isinstance(field.default, str) else json.dumps(field.default))
