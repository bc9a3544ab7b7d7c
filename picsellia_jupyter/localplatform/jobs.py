"""Jobs that are done when they are answered: this platform works while the caller waits."""

from __future__ import annotations

from sqlalchemy.orm import Session

from picsellia_jupyter.localplatform.tables.jobs import Job
from picsellia_jupyter.wire.predictions import Json

DONE = {1: "SUCCESS", 2: "SUCCEEDED"}
"""How each version of jobs spells that it went well."""


def finished_job(session: Session, kind: str, *, version: int, now: float, report: Json) -> Job:
    """Note work that is done.

    Args:
        session: the transaction the work was done in.
        kind: what it was, as `import_objects`.
        version: 1 or 2, by what the SDK expects of the route.
        now: seconds since the epoch.
        report: what was done, in numbers.
    """
    job = Job(kind=kind, version=version, status=DONE[version], report=report, created_at=now)
    session.add(job)
    session.flush()
    return job


def spell_job(row: Job) -> Json:
    """A job."""
    return {
        "id": row.id,
        "kind": row.kind,
        "status": row.status,
        "report": row.report,
        "logging_object_name": row.logging_object_name,
        "created_at": row.created_at,
    }
