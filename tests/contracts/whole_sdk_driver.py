"""Drives the unmodified SDK through all it has, against a platform.

Run in a process of its own: `python whole_sdk_driver.py HOST TOKEN FOLDER [CHAPTER …]`. Prints
one JSON object: every step, and every public method of the classes that are to be covered.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import chapters_deploying
import chapters_looping
import chapters_storing
import chapters_training
from contract_book import Book, World
from picsellia import Client
from picsellia.sdk.data import Data
from picsellia.sdk.datalake import Datalake
from picsellia.sdk.deployment import Deployment
from picsellia.sdk.model import Model
from picsellia.sdk.model_file import ModelFile
from picsellia.sdk.model_version import ModelVersion
from picsellia.sdk.predicted_asset import PredictedAsset

CHAPTERS = (
    *chapters_storing.CHAPTERS,
    *chapters_training.CHAPTERS,
    *chapters_deploying.CHAPTERS,
    *chapters_looping.CHAPTERS,
    *chapters_deploying.LAST,
)
COVERED = (Deployment, Model, ModelVersion, ModelFile, Datalake, Data, PredictedAsset)


def public_methods() -> list[str]:
    return [
        f"{kind.__name__}.{name}"
        for kind in COVERED
        for name in dir(kind)
        if not name.startswith("_") and callable(getattr(kind, name))
    ]


def main(host: str, token: str, folder: str, *wanted: str) -> None:
    client = Client(api_token=token, host=host)
    book, world = Book(), World(host, token, Path(folder), client)
    for chapter in CHAPTERS:
        if not wanted or chapter.__name__ in wanted:
            book.read(chapter, world)
    print(json.dumps({"steps": book.steps, "methods": public_methods()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
