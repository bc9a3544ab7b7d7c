"""Predictions, recorded many at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from picsellia_jupyter.localplatform.inserting import Outcome, insert_group, insert_one
from picsellia_jupyter.localplatform.photos import Received
from picsellia_jupyter.localplatform.refusals import NotDurableError
from picsellia_jupyter.localplatform.store import Store

GROUP_LIMIT = 128
"""Most predictions of one change; the rest waits for the next."""


class Ingest:
    """Records predictions of concurrent requests together, as one change of the database.

    Everything that came while the last change was being made durable goes into the next, so a
    single caller waits for nobody and many share the cost. Belongs to one event loop.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Received, asyncio.Future[None]]] = []
        self._draining: asyncio.Task[None] | None = None

    async def record(self, received: Received) -> None:
        """Record one prediction; it is durable on return.

        Raises:
            UnknownIdError: there is no such deployment.
            InvalidInputError: the prediction does not fit its deployment.
            ConflictError: it is recorded already.
            NotDurableError: the database could not keep it.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((received, done))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        await done

    async def _drain(self) -> None:
        while self._waiting:
            group = self._waiting[:GROUP_LIMIT]
            del self._waiting[:GROUP_LIMIT]
            outcomes = await self._together([received for received, _ in group])
            for (_, done), outcome in zip(group, outcomes, strict=True):
                _settle(done, outcome)

    async def _together(self, group: Sequence[Received]) -> Sequence[Outcome]:
        try:
            change = partial(insert_group, group=group)
            return await asyncio.wrap_future(self._store.submit(change))
        except NotDurableError as error:
            return [error] * len(group)
        except Exception:  # noqa: BLE001 - found again, and raised, for whom it concerns
            # One is recorded already, or cannot be stored; the others are innocent.
            return await asyncio.gather(*map(self._alone, group))

    async def _alone(self, received: Received) -> Outcome:
        try:
            change = partial(insert_one, received=received)
            return await asyncio.wrap_future(self._store.submit(change))
        except Exception as error:  # noqa: BLE001 - raised again for whom it concerns
            return error


def _settle(done: asyncio.Future[None], outcome: Outcome) -> None:
    if done.done():
        return  # whoever asked is gone
    if outcome is None:
        done.set_result(None)
    else:
        done.set_exception(outcome)
