"""`%promote`, `%rollback` and `%pipeline`: who is champion of a deployment, and how it came."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from picsellia_jupyter.magics.verb import Arguments, Verb

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session


def _promote_arguments() -> Arguments:
    parser = Arguments(
        "promote",
        "Make a version the champion; no request fails meanwhile:\n\n"
        "    %promote my-line                        its shadow, if the gate lets it\n"
        "    %promote my-line 2                      version 2 of the same model\n"
        "    %promote my-line --force                whatever the gate says, which is noted\n\n"
        "The champion before stays loaded for ten minutes: %rollback my-line takes no time.",
    )
    parser.add_argument("deployment", help="its name")
    parser.add_argument("version", nargs="?", help="model:version, or its number; else the shadow")
    parser.add_argument("--force", action="store_true", help="whatever the gate says")
    parser.add_argument(
        "--keep", action="store_true", help="have the champion before predict in its shadow"
    )
    return parser


def _rollback_arguments() -> Arguments:
    parser = Arguments(
        "rollback",
        "Make the champion before the champion again; no request fails meanwhile:\n\n"
        "    %rollback my-line\n\n"
        "A second one undoes the first.",
    )
    parser.add_argument("deployment", help="its name")
    return parser


def _pipeline_arguments() -> Arguments:
    parser = Arguments(
        "pipeline",
        "Everything from a deployment's predictions to its next champion, as one picture:\n\n"
        "    %pipeline my-line\n\n"
        "Each part says how it is, its number, and the line that leads to it.",
    )
    parser.add_argument("deployment", nargs="?", help="its name; the newest deployment without one")
    return parser


def _promote(session: Session, args: argparse.Namespace) -> object:
    return session.promote(
        args.deployment, args.version, force=args.force, keep_as_shadow=args.keep
    )


def _rollback(session: Session, args: argparse.Namespace) -> object:
    return session.rollback(args.deployment)


def _pipeline(session: Session, args: argparse.Namespace) -> object:
    return session.pipeline(args.deployment)


PIPELINE = Verb("pipeline", _pipeline_arguments(), _pipeline)
PROMOTE = Verb("promote", _promote_arguments(), _promote)
ROLLBACK = Verb("rollback", _rollback_arguments(), _rollback)
