"""SHA-256 of blobs, kept in the database, so that what a disk damages is found."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import delete
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.localplatform.blobs import BlobStream
from picsellia_jupyter.localplatform.connectors import Place
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.tables.organization import Connector
from picsellia_jupyter.localplatform.tables.sums import BlobSum


class DamagedBlobError(PicselliaJupyterError):
    """A blob is not what was stored."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The stored file {name} is damaged: it is not what was stored (SHA-256).",
            "Find its copy in a backup: picsellia-jupyter platform check says where it belongs.",
        )


@contextmanager
def storing(here: Platform, connector: Connector | Place, name: str) -> Iterator[BlobStream]:
    """A stream; the blob appears, durable and with its sum, when the block ends well.

    Raises:
        OSError: the disk has no room, or gave back something else than was written.
        NotDurableError: the database could not keep the sum.
    """
    writing = here.blobs(connector).writing(name)
    stream = writing.__enter__()
    try:
        yield stream
    except BaseException:
        writing.__exit__(*sys.exc_info())
        raise
    # Of two uploads under one name at once, the blob and the sum are the same one's.
    with here.in_turn(name):
        with here.store.reading() as session:
            has_one = sum_of(session, connector.id, name) is not None
        if has_one:
            forget_sums(here, [(connector.id, name)])
        writing.__exit__(None, None, None)
        with here.store.writing() as session:
            session.add(BlobSum(connector_id=connector.id, object_name=name, sha256=stream.sha256))


def forget_sums(here: Platform, blobs: Sequence[tuple[str, str]]) -> None:
    """Forget the sums of blobs, each given by its connector's id and its name."""
    with here.store.writing() as session:
        for connector_id, name in blobs:
            session.execute(delete(BlobSum).filter_by(connector_id=connector_id, object_name=name))


def sum_of(session: Session, connector_id: str, name: str) -> str | None:
    """The SHA-256 of a blob in hex; None where it is not known."""
    row = session.get(BlobSum, (connector_id, name))
    return row.sha256 if row else None


def verified(chunks: Iterable[bytes], sha256: str | None, name: str) -> Iterator[bytes]:
    """The chunks of a blob; the last one only if all of them are what was stored.

    Raises:
        DamagedBlobError: they are not.
    """
    seen = hashlib.sha256()
    held: bytes | None = None
    for chunk in chunks:
        if held is not None:
            yield held
        seen.update(chunk)
        held = chunk
    if sha256 not in (None, seen.hexdigest()):
        raise DamagedBlobError(name)
    if held is not None:
        yield held
