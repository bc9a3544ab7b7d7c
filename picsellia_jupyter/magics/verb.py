"""A verb one can type: its arguments, its help and its one call on the session."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from typing_extensions import override

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session


class Arguments(argparse.ArgumentParser):
    """A parser that answers a wrong line with one sentence, and never exits."""

    def __init__(self, verb: str, description: str, **options: Any) -> None:
        super().__init__(
            prog=f"%{verb}",
            description=description,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            add_help=False,
            **options,
        )

    @override
    def error(self, message: str) -> NoReturn:
        from IPython.core.error import UsageError

        usage = " ".join(self.format_usage().split())
        raise UsageError(f"{message}\n{usage}\nMore: {self.prog}?")


@dataclass(frozen=True, slots=True)
class Verb:
    """One magic."""

    name: str
    arguments: Arguments
    run: Callable[[Session, argparse.Namespace], object]
    """Bind the arguments to one call on the session."""

    def __call__(self, session: Session, line: str, names: Mapping[str, Any]) -> object:
        """Run a typed line.

        Args:
            session: that of the notebook.
            line: what follows the magic's name.
            names: the notebook's variables; the word `$name` stands for the value of one.

        Raises:
            UsageError: the line does not fit the arguments.
        """
        return self.run(session, self.arguments.parse_args(words(line, names)))

    def help(self) -> str:
        """What `%verb?` shows."""
        return self.arguments.format_help()


def words(line: str, names: Mapping[str, Any]) -> list[str]:
    """Split a line as a shell would; `$name` is looked up, nothing is ever evaluated.

    A list or tuple of a variable stands for several words.

    Raises:
        UsageError: a quote is not closed, or there is no such variable.
    """
    from IPython.core.error import UsageError

    try:
        typed = shlex.split(line)
    except ValueError as error:
        raise UsageError(f"The line cannot be read: {error}.") from None
    found: list[str] = []
    for word in typed:
        if not (word.startswith("$") and word[1:].isidentifier()):
            found.append(word)
            continue
        if word[1:] not in names:
            raise UsageError(f"There is no variable {word[1:]!r}.")
        value = names[word[1:]]
        found.extend(map(str, value) if isinstance(value, (list, tuple)) else [str(value)])
    return found
