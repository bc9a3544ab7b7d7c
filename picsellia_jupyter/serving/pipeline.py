"""A worker's threads: photos are decoded in some, the model runs in one."""

from __future__ import annotations

import collections
import os
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from typing_extensions import TypeIs

from picsellia_jupyter.domain.errors import PicselliaJupyterError, ServingError, first_line
from picsellia_jupyter.domain.predictions import Prediction
from picsellia_jupyter.serving import capacity, joining, messages, threads
from picsellia_jupyter.serving.batching import Batcher
from picsellia_jupyter.serving.channel import Channel, Message
from picsellia_jupyter.serving.engine import Prepared
from picsellia_jupyter.serving.messages import Timing, WorkerReply
from picsellia_jupyter.serving.signature import LoadedModel
from picsellia_jupyter.serving.tensors import Tensors

_DECODERS = 8
"""Threads that decode photos for an accelerator, at most one more than there are cores."""
_SLOW_S = 0.025
"""A model that takes longer is not waited for by photos that are to be decoded."""


class Predictor(Protocol):
    """What a worker runs: `engine.Engine`."""

    @property
    def loaded(self) -> LoadedModel:
        """What there is to know of the model."""

    @property
    def largest_batch(self) -> int:
        """Images that go into a batch at most, as far as is known now."""

    def prepare(self, image: bytes, name: str, *, record: bool) -> Prepared:
        """Decode a photo and make the model's input of it. Thread-safe."""

    def run(self, batch: Sequence[Prepared]) -> list[Prediction | PicselliaJupyterError]:
        """What the model finds in every photo of a batch, or why that cannot be read."""

    def infer(self, tensors: Tensors) -> Tensors:
        """The model's own outputs for its own inputs."""


@dataclass(slots=True, eq=False)
class _Photo:
    """An image on its way through the worker."""

    id: int
    name: str
    prepared: Prepared
    prepare_s: float
    came: float

    @property
    def shape(self) -> tuple[int, ...]:
        return self.prepared.input.shape


@dataclass(frozen=True, slots=True, eq=False)
class _Raw:
    """The model's own inputs on their way through the worker."""

    id: int
    given: Tensors
    came: float


class Pipeline:
    """Answers messages in the order in which their answers are ready."""

    def __init__(self, engine: Predictor, channel: Channel) -> None:
        """Make it.

        Args:
            engine: holds the model; it is run in one thread at a time.
            channel: takes the answers.
        """
        self._engine = engine
        self._channel = channel
        self._batcher = Batcher(engine.loaded.batch)
        self._ready: collections.deque[_Photo] = collections.deque()
        self._raw: collections.deque[_Raw] = collections.deque()
        self._joins = joining.takes_joined(engine.loaded)
        self._outstanding = 0
        self._changed = threading.Condition()
        self._taking_turns = engine.loaded.device == "cpu" and engine.loaded.batch == 1
        self._busy = False
        # Encoding the answers to many images takes time in which the model could run.
        self._replier = None if self._taking_turns else ThreadPoolExecutor(1, "reply")
        if not self._taking_turns:
            threads.start("model", self._run)

    @property
    def takers(self) -> int:
        """How many threads should call `put`; on the CPU it may change.

        One decodes while another one runs the model; an accelerator needs more to be kept busy.
        Where each core has a worker, two threads of it only take turns, and a fast model loses
        a tenth of its speed to that. A slow one has a second thread for the sake of photos that
        are broken: they are refused before it is done.
        """
        if not self._taking_turns:
            return min(_DECODERS, 1 + (os.cpu_count() or 1))
        spare = capacity.cores() > capacity.MOST
        return 2 if spare or self._batcher.recent_s > _SLOW_S else 1

    def put(self, message: Message) -> None:
        """Take a message in; its answer is sent when it is ready.

        Without an accelerator the thread that brings a photo runs the model too if nobody else
        does: handing it to another thread would cost a small model a tenth of its speed.
        """
        came = time.perf_counter()
        with self._changed:
            self._outstanding += 1
            self._batcher.came(self._outstanding)
        if message.header["op"] == "infer":
            self._unpack(message, came)
        else:
            self._prepare(message, came)
        if self._taking_turns:
            self._take_turn()

    def _unpack(self, message: Message, came: float) -> None:
        try:
            raw = _Raw(message.id, messages.tensors_of(message), came)
        except Exception as error:  # noqa: BLE001 - one call's failure must not end the worker
            self._answer(failure(message.id, error, ""))
            return
        with self._changed:
            self._raw.append(raw)
            self._changed.notify()

    def _prepare(self, message: Message, came: float) -> None:
        header = message.header
        began = time.perf_counter()
        try:
            prepared = self._engine.prepare(message.body, header["name"], record=header["record"])
        except Exception as error:  # noqa: BLE001 - one image's failure must not end the worker
            self._answer(failure(message.id, error, header["name"]))
            return
        took = time.perf_counter() - began
        photo = _Photo(message.id, header["name"], prepared, took, came)
        with self._changed:
            self._ready.append(photo)
            # The first one starts the clock. The model's thread is not woken by each of the others,
            # only to see that they are too few.
            if len(self._ready) == 1 or self._batcher.enough(len(self._ready)):
                self._changed.notify()

    # The model, in one thread at a time ----------------------------------------------------

    def _take_turn(self) -> None:
        """Run the model while there is something to run it on, unless another thread does."""
        mine = False
        while True:
            with self._changed:
                if self._busy and not mine:
                    return
                self._busy = mine = bool(self._raw or self._ready)
                if not mine:
                    return
                work = self._take()
            self._go_on(work)

    def _run(self) -> None:
        while True:
            self._go_on(self._next())

    def _go_on(self, work: list[_Raw] | list[_Photo]) -> None:
        if _are_raw(work):
            self._infer(work)
            return
        found, run_s = self._predict(work)
        if self._replier and self._ready:
            self._replier.submit(self._reply, work, found, run_s)
        else:
            self._reply(work, found, run_s)

    def _next(self) -> list[_Raw] | list[_Photo]:
        """Wait until the model has something to do."""
        with self._changed:
            while (wait_s := self._wait_s()) != 0.0:
                self._changed.wait(wait_s)
            return self._take()

    def _wait_s(self) -> float | None:
        if not self._raw_first():
            return self._batcher.wait_s(len(self._ready), self._outstanding)
        joins = self._joins and joining.rows(self._raw[0].given)
        return self._batcher.wait_s(len(self._raw), self._outstanding) if joins else 0.0

    def _take(self) -> list[_Raw] | list[_Photo]:
        return self._raw_batch() if self._raw_first() else self._batch()

    def _raw_first(self) -> bool:
        """Whether the model's own inputs are next."""
        raw, ready = self._raw, self._ready
        return bool(raw) and not (ready and ready[0].came < raw[0].came)

    def _batch(self) -> list[_Photo]:
        """The next images that fit into one tensor."""
        count, ready = self._batcher.take(len(self._ready)), self._ready
        shape = ready[0].shape
        batch = [ready.popleft()]
        while len(batch) < count and ready[0].shape == shape:
            batch.append(ready.popleft())
        return batch

    def _raw_batch(self) -> list[_Raw]:
        """The next inputs of the model's own that go through it together."""
        self._batcher.take(len(self._raw))
        first = self._raw.popleft()
        batch, count = [first], joining.rows(first.given)
        while count and self._joins and self._raw and joining.fit(first.given, self._raw[0].given):
            count += joining.rows(self._raw[0].given)
            if count > self._batcher.largest:
                break
            batch.append(self._raw.popleft())
        return batch

    def _predict(self, batch: list[_Photo]) -> tuple[Sequence[Prediction | Exception], float]:
        began = time.perf_counter()
        found = self._found(batch)
        took = time.perf_counter() - began
        with self._changed:
            self._batcher.ran(took, self._outstanding)
            self._batcher.largest = self._engine.largest_batch
        return found, took

    def _found(self, batch: list[_Photo]) -> Sequence[Prediction | Exception]:
        try:
            return self._engine.run([photo.prepared for photo in batch])
        except Exception as error:  # noqa: BLE001 - one image's failure must not end the worker
            if len(batch) == 1:
                return [error]
        # One of them may be to blame, or all together be too much.
        return [self._found([photo])[0] for photo in batch]

    def _infer(self, batch: list[_Raw]) -> None:
        began = time.perf_counter()
        outputs: Sequence[Tensors | Exception] | None = self._together(batch)
        if outputs is None:
            outputs = [self._alone(raw) for raw in batch]
        with self._changed:
            self._batcher.ran(time.perf_counter() - began, self._outstanding)
        for raw, found in zip(batch, outputs, strict=True):
            if isinstance(found, Exception):
                self._answer(failure(raw.id, found, ""))
            else:
                self._answer(messages.tensors_message(found, raw.id))

    def _together(self, batch: list[_Raw]) -> Sequence[Tensors] | None:
        """Each call's outputs; None where they have to be run one by one."""
        if len(batch) == 1:
            return None
        calls = [raw.given for raw in batch]
        try:
            outputs = self._engine.infer(joining.joined(calls))
        except Exception:  # noqa: BLE001 - one of them may be to blame, or all be too much
            return None
        return joining.parted(outputs, list(map(joining.rows, calls)))

    def _alone(self, raw: _Raw) -> Tensors | Exception:
        try:
            return self._engine.infer(raw.given)
        except Exception as error:  # noqa: BLE001 - one call's failure must not end the worker
            return error

    def _reply(
        self, batch: list[_Photo], found: Sequence[Prediction | Exception], run_s: float
    ) -> None:
        now = time.perf_counter()
        for photo, each in zip(batch, found, strict=True):
            # One by one: the front reads the first while the second is spelt.
            self._answer(_reply(photo, each, Timing(now - photo.came, run_s, len(batch))))

    def _answer(self, answer: Message) -> None:
        # Before it is sent: the next image may come at once.
        with self._changed:
            self._outstanding -= 1
        self._channel.send(answer)


def _are_raw(work: list[_Raw] | list[_Photo]) -> TypeIs[list[_Raw]]:
    return isinstance(work[0], _Raw)


def _reply(photo: _Photo, found: Prediction | Exception, timing: Timing) -> Message:
    if isinstance(found, Exception):
        return failure(photo.id, found, photo.name)
    try:
        return _found_message(photo, found, timing)
    except Exception as error:  # noqa: BLE001 - one image's failure must not end the worker
        return failure(photo.id, error, photo.name)


def _found_message(photo: _Photo, found: Prediction, timing: Timing) -> Message:
    prepared = photo.prepared
    reply = WorkerReply(
        found,
        prepared.size,
        photo.prepare_s + timing.run_s,
        prepared.content_type,
        prepared.png,
        timing,
    )
    return messages.reply_message(reply, photo.id)


def failure(number: int, error: Exception, name: str) -> Message:
    """Spell why a call failed; whatever it was is told, not raised."""
    if isinstance(error, PicselliaJupyterError):
        return messages.error_message(error, number)
    traceback.print_exception(error, file=sys.stderr)
    told = ServingError(
        f"The model failed{f' on {name!r}' if name else ''}: {first_line(error)}",
        "The worker's log tells more: its last lines are in the deployment's status.",
    )
    return messages.error_message(told, number)
