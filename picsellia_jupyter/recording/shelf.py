"""What programs that are gone have left in their spools: looked at, tried again, dropped."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.domain.spools import SpoolDepth, spelt_age
from picsellia_jupyter.recording.spool import SUFFIX, Spool


def depths(folder: Path) -> list[SpoolDepth]:
    """What lies in the spools of each deployment; those of running programs are counted only.

    Args:
        folder: holds a folder for each deployment.

    Raises:
        OSError, sqlite3.Error: one cannot be read.
    """
    found = (
        [_depth(own) for own in sorted(folder.iterdir()) if own.is_dir()] if folder.is_dir() else []
    )
    return [one for one in found if one.waiting or one.refused or one.in_use]


def summary(folder: Path) -> str:
    """What ended programs have left, in a few words; empty where they left nothing."""
    try:
        found = depths(folder)
    except (OSError, sqlite3.Error) as error:
        return f"{folder} cannot be read: {error}"
    waiting, refused = sum(one.waiting for one in found), sum(len(one.refused) for one in found)
    if not waiting and not refused:
        return ""
    now = time.time()
    moments = (one.oldest for one in found if one.oldest is not None)
    age = spelt_age(now - min(moments, default=now))
    return (
        f"{waiting} predictions of ended programs, {refused} set aside, the oldest of {age} ago; "
        "see: picsellia-jupyter spool list"
    )


def retry(folder: Path, deployment_id: str | None) -> int:
    """Have what is set aside tried again by the next owner; how many.

    Raises:
        NotFoundError: there is no spool of the deployment.
    """
    return _each(folder, deployment_id, Spool.put_back)


def drop(folder: Path, deployment_id: str | None) -> int:
    """Remove what is set aside, for good; how many.

    Raises:
        NotFoundError: there is no spool of the deployment.
    """
    return _each(folder, deployment_id, Spool.drop_refused)


def _depth(folder: Path) -> SpoolDepth:
    waiting = size = opened = 0
    refused, moments = list[tuple[str, str]](), list[float]()
    for spool in Spool.abandoned(folder):
        held, opened = spool.held(), opened + 1
        waiting, size = waiting + held.waiting, size + held.size
        refused += spool.refused()
        moments += [spool.oldest] if spool.oldest is not None else []
    in_use = len(list(folder.glob(f"*{SUFFIX}"))) - opened
    oldest = min(moments, default=None)
    return SpoolDepth(folder.name, waiting, tuple(refused), size, oldest, max(0, in_use))


def _each(folder: Path, deployment_id: str | None, change: Callable[[Spool], int]) -> int:
    own = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    chosen = [path for path in own if deployment_id in (None, path.name)]
    if deployment_id is not None and not chosen:
        raise NotFoundError.named("spool of a deployment", deployment_id, [p.name for p in own])
    return sum(change(spool) for path in chosen for spool in Spool.abandoned(path))
