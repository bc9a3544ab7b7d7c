"""The magics of one shell and the session they share."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from IPython.core.magic import no_var_expand

from picsellia_jupyter.magics.alerts import ALERTS
from picsellia_jupyter.magics.completing import Sources, matcher_of
from picsellia_jupyter.magics.connect import CONNECT
from picsellia_jupyter.magics.deploy import DEPLOY, DEPLOYMENTS, UNDEPLOY
from picsellia_jupyter.magics.doctor import DOCTOR
from picsellia_jupyter.magics.folders import images_and_folders
from picsellia_jupyter.magics.interconnect import INTERCONNECT
from picsellia_jupyter.magics.monitor import MONITOR
from picsellia_jupyter.magics.name_cache import NameCache
from picsellia_jupyter.magics.panels import DEPLOYMENT, Panels
from picsellia_jupyter.magics.places import PLACES
from picsellia_jupyter.magics.predict import PREDICT
from picsellia_jupyter.magics.promote import PIPELINE, PROMOTE, ROLLBACK
from picsellia_jupyter.magics.registry import REGISTRY
from picsellia_jupyter.magics.retrain import RETRAIN
from picsellia_jupyter.magics.review import REVIEW
from picsellia_jupyter.magics.turning import Turning
from picsellia_jupyter.magics.usage import USAGE
from picsellia_jupyter.magics.verb import Arguments, Verb, words

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from picsellia_jupyter.session import Session
    from picsellia_jupyter.session.names import Names

VERBS = (
    DEPLOY,
    DEPLOYMENT,
    INTERCONNECT,
    PREDICT,
    MONITOR,
    ALERTS,
    REVIEW,
    RETRAIN,
    PIPELINE,
    PROMOTE,
    ROLLBACK,
    DEPLOYMENTS,
    UNDEPLOY,
    REGISTRY,
    PLACES,
    USAGE,
)
UMBRELLA = "picsellia"
INNER = (CONNECT, DOCTOR)
"""Verbs that have no magic of their own: `%picsellia doctor`."""

Magic = Callable[[str], object]


class Extension:
    """What `%load_ext picsellia_jupyter` adds to a shell."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._added: dict[str, Magic] = {}
        self._known = {verb.name: verb for verb in (*VERBS, *INNER)}
        self._making = threading.Lock()
        self._panels = Panels(shell, lambda: self.session)
        self._turning = Turning(shell)
        self._names = NameCache(self._fetch_names)
        self._folders = NameCache(images_and_folders, fresh_s=0.5, is_warm=True)
        self._matcher = matcher_of(
            Sources(self._arguments_of, self._names.get, self._folders.get, shell.user_ns)
        )

    @cached_property
    def session(self) -> Session:
        """One for all magics of this notebook; connected on first use."""
        # Completion may ask for it meanwhile, from its own thread.
        with self._making:
            if "session" not in self.__dict__:
                from picsellia_jupyter.session import Session

                self.__dict__["session"] = Session()
            made: Session = self.__dict__["session"]
            return made

    @cached_property
    def _platform_names(self) -> Names:
        return self.session.names()

    def register(self) -> None:
        """Add every magic whose name is free; `%picsellia VERB` does the same for all."""
        self._completer.custom_matchers.append(self._matcher)
        self._panels.register()
        self._turning.register()
        self._add(UMBRELLA, self._umbrella())
        taken = [verb.name for verb in VERBS if not self._add(verb.name, self._magic(verb))]
        if taken:
            shown = ", ".join(f"%{name}" for name in taken)
            warnings.warn(
                f"{shown} belongs to another extension; use %picsellia {taken[0]} … instead.",
                stacklevel=2,
            )

    def unregister(self) -> None:
        """Remove what was added, and nothing else."""
        magics = self._line_magics
        for name, magic in self._added.items():
            if magics.get(name) is magic:
                del magics[name]
        self._added.clear()
        if self._matcher in self._completer.custom_matchers:
            self._completer.custom_matchers.remove(self._matcher)
        self._panels.unregister()
        self._turning.unregister()
        self._names.close()
        self._folders.close()

    @property
    def _completer(self) -> Any:
        return self._shell.Completer

    def _fetch_names(self, kind: str, of: str) -> Sequence[str]:
        return self._platform_names.of_kind(kind, of)

    def _arguments_of(
        self, magic: str, words: tuple[str, ...]
    ) -> tuple[Arguments, tuple[str, ...]] | None:
        """What a magic of ours takes, and the words that are its own."""
        if magic not in self._added or self._line_magics.get(magic) is not self._added[magic]:
            return None
        if magic != UMBRELLA:
            return self._known[magic].arguments, words
        if not words:
            return _umbrella_arguments(self._known), words
        verb = self._known.get(words[0])
        return (verb.arguments, words[1:]) if verb else None

    @property
    def _line_magics(self) -> dict[str, Any]:
        lines: dict[str, Any] = self._shell.magics_manager.magics["line"]
        return lines

    def _add(self, name: str, magic: Magic) -> bool:
        if name in self._line_magics:
            return False
        self._shell.register_magic_function(magic, "line", name)  # type: ignore[arg-type]
        self._added[name] = magic
        return True

    def _magic(self, verb: Verb) -> Magic:
        # The line is data: IPython must not expand {…} in it, which would run code.
        @no_var_expand
        def magic(line: str) -> object:
            return verb(self.session, line, self._shell.user_ns)

        magic.__doc__ = verb.help()
        magic.__name__ = verb.name
        return magic

    def _umbrella(self) -> Magic:
        known = self._known

        @no_var_expand
        def magic(line: str) -> object:
            typed = words(line, self._shell.user_ns)[:1]
            if not typed:
                return self.session.status()
            if typed[0] not in known:
                parser = Arguments(UMBRELLA, "")
                parser.error(f"there is no verb {typed[0]!r}; known: {', '.join(known)}")
            rest = line.split(maxsplit=1)[1] if len(line.split(maxsplit=1)) > 1 else ""
            return known[typed[0]](self.session, rest, self._shell.user_ns)

        magic.__doc__ = (
            "Where the session is connected; or any verb, for shells where a name is taken:\n\n"
            "    %picsellia\n" + "\n".join(f"    %picsellia {name} …" for name in known)
        )
        magic.__name__ = UMBRELLA
        return magic


def _umbrella_arguments(known: Mapping[str, Verb]) -> Arguments:
    arguments = Arguments(UMBRELLA, "")
    arguments.add_argument("verb", choices=tuple(known))
    return arguments
