"""`%alerts`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from picsellia_jupyter.magics.verb import Arguments, Verb

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session

_ACTIONS = ("list", "add", "remove", "test")


def _arguments() -> Arguments:
    parser = Arguments(
        "alerts",
        "What is watched in a deployment:\n\n"
        "    %alerts my-line\n"
        "    %alerts my-line add average latency > 200 ms over 10 min\n"
        "    %alerts my-line add error rate > 5 % over 1 h --webhook https://hooks.example.com/x\n"
        "    %alerts my-line add drift over 24 h --name drifts\n"
        "    %alerts my-line test drifts\n"
        "    %alerts my-line remove drifts",
    )
    parser.add_argument("deployment", help="its name")
    parser.add_argument("action", nargs="?", choices=_ACTIONS, default="list", help="what to do")
    parser.add_argument(
        "words", nargs="*", metavar="WORDS", help="the condition to add, or the alert's name"
    )
    parser.add_argument("--name", help="of the new alert; the condition without one")
    parser.add_argument("--webhook", metavar="URL", help="told when it fires and when that ends")
    parser.add_argument(
        "--private", action="store_true", help="the webhook may be inside of this network"
    )
    return parser


def _alerts(session: Session, args: argparse.Namespace) -> object:
    alerts, said = session.alerts(args.deployment), " ".join(args.words)
    if args.action == "add":
        alerts.add(said, name=args.name, webhook=args.webhook, private=args.private)
    elif args.action == "remove":
        alerts.remove(said)
    elif args.action == "test":
        return alerts.test(said)
    return alerts


ALERTS = Verb("alerts", _arguments(), _alerts)
