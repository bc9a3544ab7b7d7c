"""The deck of `%review`: in a dialog of the page or under its cell; a card with counts remains."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from picsellia_jupyter.display import reviews as cards
from picsellia_jupyter.display.embedding import opened
from picsellia_jupyter.display.overlay import MAX_SIDE
from picsellia_jupyter.display.units import count
from picsellia_jupyter.display.viewer import photo_url
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.domain.reviews import Queue, ReviewConflictError, ReviewCounts
from picsellia_jupyter.widgets.busy import BusyWatch
from picsellia_jupyter.widgets.dialog import Dialog
from picsellia_jupyter.widgets.output import CellOutput
from picsellia_jupyter.widgets.review_model import ReviewModel, Save
from picsellia_jupyter.widgets.review_page import ReviewPage, face, label_entries
from picsellia_jupyter.widgets.worker import Worker
from picsellia_jupyter.wire.reviews import shape_from_json

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session
    from picsellia_jupyter.widgets.deploy_modal import Kernel

AHEAD = 4
"""Images that are read before they are looked at."""
MOST_PHOTOS = 24
"""That are kept for going back."""
CLOSING_S = 0.3
"""That a page gets to put the card up before the widget is gone."""
Message = Mapping[str, Any]


class ReviewDeck:
    """One open deck.

    Handlers run on the kernel's thread and on subshells; one thread reads images ahead, another
    stores reviews.
    """

    def __init__(
        self, session: Session, kernel: Kernel, record: DeploymentRecord, queue: Queue
    ) -> None:
        """Make the deck; `open` shows it.

        Args:
            session: of the notebook; each thread has one of its own beside it.
            kernel: that the deck lives in.
            record: of the deployment.
            queue: what is to be reviewed.
        """
        self._kernel = kernel
        self._record = record
        self._lock = threading.RLock()
        self._model = ReviewModel(queue, record.type)
        self._platform = session.platform
        self._labels = label_entries(self._platform.review_labels(record))
        self._counts = self._platform.review_counts(record)
        self._asking = self._doing = self._waiting = self._trouble = self._note = ""
        self._serial, self._finished = 0, False
        self._photos: dict[str, str] = {}
        self._asked_for: set[str] = set()
        self._reader, self._writer = Worker("picsellia-read"), Worker("picsellia-save")
        self._reading, self._writing = session.beside(), session.beside()
        self.page = ReviewPage()
        self.page.on_msg(lambda _page, message, _buffers: self._hear(message))
        identity = uuid.uuid4().hex
        self._output = CellOutput(identity, has_cell=True)
        self._dialog = Dialog(
            {
                "id": identity,
                "model_id": self.page.model_id,
                "title": f"Review {record.name}",
                "kind": "review",
            },
            kernel,
            on_refused=self._show_inline,
            on_ready=self._shown_in_dialog,
            on_cancel=self._close,
        )
        self._is_inline = False
        self._busy = BusyWatch(kernel, self._say_busy, in_cell=True)

    def open(self) -> None:
        """Show it."""
        self._output.show(self._card())
        self._show()
        self._look_ahead()
        self._dialog.open()

    # What the page says --------------------------------------------------------------------------

    def _hear(self, message: Message) -> None:
        act = self._ACTS.get(str(message.get("do")))
        with self._lock:
            if act is None or self._finished:
                return
            self._trouble = ""
            act(self, message)

    def _edit(self, message: Message) -> None:
        self._take(message)
        self._show()

    def _take(self, message: Message) -> None:
        """The shapes that the page has, which are newer than ours."""
        if "shapes" in message:
            shapes = tuple(map(shape_from_json, message["shapes"]))
            self._model.edit(str(message["asset"]), shapes)
            self._serial = int(message.get("serial", 0))

    def _accept(self, message: Message) -> None:
        self._take(message)
        self._go_on(self._model.accept(str(message["asset"])))

    def _reject(self, message: Message) -> None:
        self._go_on(self._model.reject(str(message["asset"])))

    def _move(self, message: Message, steps: int) -> None:
        del message
        self._go_on(self._model.move(steps))

    def _undo(self, message: Message) -> None:
        del message
        self._model.undo()
        self._show(undone=True)

    def _resolve(self, message: Message, *, keep_mine: bool) -> None:
        self._go_on(self._model.resolve(str(message["asset"]), keep_mine=keep_mine))

    def _greet(self, message: Message) -> None:
        """Show everything to a view that was drawn just now."""
        del message
        self._show(undone=True)

    def _send_photo(self, message: Message) -> None:
        asset_id = str(message["asset"])
        if asset_id in self._photos:
            self.page.send({"photo": asset_id, "url": self._photos[asset_id]})
        elif self._model.current is not None and self._model.draft is not None:
            self._reader.submit(self._reads(asset_id))

    def _go_on(self, save: Save | None) -> None:
        if save is not None:
            self._writer.submit(lambda: self._store(save))
        self._serial = 0
        self._show()
        self._look_ahead()

    # Storing -------------------------------------------------------------------------------------

    def _store(self, save: Save) -> None:
        asset_id = save.subject.id
        with self._lock:
            seen = self._model.seen(asset_id)
        try:
            saved = self._writing.platform.save_review(
                self._record, seen, save.shapes, policy=self._model.queue.policy, also=save.also
            )
        except PicselliaJupyterError as error:
            theirs = error.theirs if isinstance(error, ReviewConflictError) else None
            with self._lock:
                self._model.refused(asset_id, str(error), theirs)
                self._show(undone=True)
            return
        with self._lock:
            was_new = seen.reviewed is None
            self._model.saved(asset_id, saved, save.shapes)
            if was_new:
                now = self._counts
                self._counts = ReviewCounts(now.to_review - 1, now.reviewed + 1, now.submitted)
            self._show()
            if not self._finished and not self._is_inline:
                self._output.show(self._card())

    def _ask(self, message: Message) -> None:
        del message
        ids = self._model.reviewed_ids
        self._asking = (
            f"Submit {count(len(ids), 'review')}? They become final and feed the datasets of the "
            "feedback loop. This cannot be undone."
        )
        self._show()

    def _unask(self, message: Message) -> None:
        del message
        self._asking = ""
        self._show()

    def _submit(self, message: Message) -> None:
        if not self._asking:
            return
        self._asking, self._doing = "", "submitting …"
        save = self._model.leave()
        if save is not None:
            self._writer.submit(lambda: self._store(save))
        self._show()
        self._writer.submit(self._submit_now)
        del message

    def _submit_now(self) -> None:
        with self._lock:
            ids = self._model.reviewed_ids
        try:
            done = self._writing.platform.submit_reviews(self._record, ids)
        except PicselliaJupyterError as error:
            with self._lock:
                self._doing, self._trouble = "", str(error)
                self._show()
            return
        with self._lock:
            self._doing = ""
            self._model.submitted()
            fed = f", {count(done.annotated, 'annotation')} in datasets" if done.annotated else ""
            self._note = f"{count(done.submitted, 'review')} submitted{fed}."
        self._finish()

    # Showing -------------------------------------------------------------------------------------

    def _show(self, *, undone: bool = False) -> None:
        if self._finished:
            return
        said = face(
            self._model,
            self._labels,
            asking=self._asking,
            busy=self._doing,
            waiting=self._waiting,
            trouble=self._trouble,
        )
        self.page.deck = said | {"serial": self._serial, "undone": undone}

    def _look_ahead(self) -> None:
        with self._lock:
            for asset_id in self._model.wanted(AHEAD):
                if asset_id not in self._asked_for:
                    self._asked_for.add(asset_id)
                    self._reader.submit(self._reads(asset_id))

    def _reads(self, asset_id: str) -> Callable[[], None]:
        return lambda: self._read(asset_id)

    def _read(self, asset_id: str) -> None:
        if self._finished:
            return
        try:
            subject, photo = self._reading.platform.review_subject(self._record, asset_id)
            url = photo_url(opened(photo, MAX_SIDE, subject.image.source))
        except PicselliaJupyterError as error:
            with self._lock:
                self._asked_for.discard(asset_id)
                self._trouble = str(error)
                self._show()
            return
        with self._lock:
            self._model.learn(subject)
            self._photos[asset_id] = url
            if len(self._photos) > MOST_PHOTOS:
                del self._photos[next(iter(self._photos))]
            self.page.send({"photo": asset_id, "url": url})
            if self._model.current is not None and self._model.current.id == asset_id:
                self._show()

    def _say_busy(self, is_busy: bool) -> None:
        with self._lock:
            self._waiting = "a cell runs; the deck may go on after it" if is_busy else ""
            self._show()

    def _show_inline(self) -> None:
        with self._lock:
            if not self._finished:
                self._is_inline = True
                self._output.show_widget(self.page, f"Reviews of {self._record.name}")

    def _shown_in_dialog(self) -> None:
        with self._lock:
            if self._is_inline and not self._finished:
                # A slow page: the cell has the deck already.
                self._is_inline = False
                self._output.show(self._card())
        self._look_ahead()

    # Ending --------------------------------------------------------------------------------------

    def _close(self, message: Message | None = None) -> None:
        del message
        with self._lock:
            if self._finished or self._doing:
                return
            save = self._model.leave()
            if save is not None:
                self._writer.submit(lambda: self._store(save))
            self._doing = "saving …"
            self._show()
        self._writer.submit(self._finish)

    def _finish(self) -> None:
        with self._lock:
            if self._finished:
                return
            trouble = self._model.draft.trouble if self._model.draft else ""
            self._finished = True
        try:
            self._counts = self._writing.platform.review_counts(self._record)
        except PicselliaJupyterError as error:
            self._note = str(error)
        self._note = self._note or trouble
        card = self._card()
        self._output.show(card)
        self._dialog.close(outcome="reviewed", card=card, line="", name="")
        self._busy.end()
        self._reader.end()
        self._writer.end()
        self._kernel.later(CLOSING_S, self.page.close)

    def _card(self) -> dict[str, str]:
        said = (self._record.name, self._model.queue, self._counts, self._note)
        return {"text/html": cards.card(*said), "text/plain": cards.queue_text(*said)}

    _ACTS: Mapping[str, Callable[[ReviewDeck, Message], None]] = {
        "hello": _greet,
        "photo": _send_photo,
        "edit": _edit,
        "accept": _accept,
        "reject": _reject,
        "next": lambda self, message: self._move(message, 1),
        "back": lambda self, message: self._move(message, -1),
        "undo": _undo,
        "mine": lambda self, message: self._resolve(message, keep_mine=True),
        "theirs": lambda self, message: self._resolve(message, keep_mine=False),
        "ask": _ask,
        "unask": _unask,
        "submit": _submit,
        "close": _close,
    }
