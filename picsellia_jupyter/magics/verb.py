"""A verb one can type: its arguments, its help and its one call on the session."""

from __future__ import annotations

import argparse
import functools
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
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
            # As wide as a pager is, whatever the terminal was that a kernel began in.
            formatter_class=functools.partial(
                argparse.RawDescriptionHelpFormatter, width=90, max_help_position=36
            ),
            add_help=False,
            **options,
        )
        # Python 3.14 would colour a help text by itself.
        self.color = False

    @override
    def format_help(self) -> str:
        """A manual: what the verb does, examples, then each argument."""
        formatter = self._get_formatter()
        formatter.add_text(self.description)
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        for group in self._action_groups:
            formatter.start_section(group.title)
            formatter.add_arguments(group._group_actions)
            formatter.end_section()
        return formatter.format_help()

    @property
    def options(self) -> Mapping[str, argparse.Action]:
        """Every option by its name: `--threshold`."""
        return self._option_string_actions

    def unused(self, words: Sequence[str]) -> list[str]:
        """The options that may still be given after these words."""
        given = {self.options[word] for word in words if word in self.options}
        repeated = (argparse._AppendAction,)
        return [
            name
            for name, action in self.options.items()
            if action not in given or isinstance(action, repeated)
        ]

    def awaited(self, words: Sequence[str]) -> argparse.Action | None:
        """The argument whose value the next word is, after these complete ones."""
        option: argparse.Action | None = None
        placed = 0
        for word in words:
            if option is None and word in self.options:
                option = self.options[word] if self.options[word].nargs != 0 else None
            elif option is not None:
                option = None
            elif not word.startswith("-"):
                placed += 1
        if option is not None:
            return option
        positionals = [action for action in self._actions if not action.option_strings]
        if placed < len(positionals):
            return positionals[placed]
        return positionals[-1] if positionals and positionals[-1].nargs in ("+", "*") else None

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

    A list or tuple of a variable stands for several words. What follows a `#` that is a word of
    its own is a comment.

    Raises:
        UsageError: a quote is not closed, or there is no such variable.
    """
    from IPython.core.error import UsageError

    try:
        typed = shlex.split(_without_comment(line))
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


def _without_comment(line: str) -> str:
    quoted = r"\"(?:\\.|[^\"\\])*\"|'[^']*'"
    masked = re.sub(quoted, lambda found: "_" * len(found[0]), line)
    comment = re.search(r"(?:^|\s)#(?:\s|$)", masked)
    return line[: comment.start()] if comment else line
