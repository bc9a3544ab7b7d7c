"""`%monitor`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from picsellia_jupyter.magics.verb import Arguments, Verb

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session


def _arguments() -> Arguments:
    parser = Arguments(
        "monitor",
        "A deployment's dashboard:\n\n"
        "    %monitor my-line --last 7d\n"
        "    %monitor my-line --since 2026-11-20 --until 2026-11-27 --label crack",
    )
    parser.add_argument("deployment", nargs="?", help="its name; the newest deployment without one")
    parser.add_argument("--last", default="24h", metavar="30m|24h|7d|all", help="any span, or all")
    parser.add_argument("--since", metavar="TIME", help="a day or a time: 2026-11-28T02:10")
    parser.add_argument("--until", metavar="TIME", help="likewise; now without one")
    parser.add_argument("--version", metavar="VERSION", help="of the model: digits-detector:0")
    parser.add_argument("--label", help="only its shapes")
    parser.add_argument("--tag", help="only what was sent with it")
    parser.add_argument("--source", help="only what was sent with this source")
    parser.add_argument(
        "--live", action="store_true", help="keep it up to date until it is stopped"
    )
    return parser


def _monitor(session: Session, args: argparse.Namespace) -> object:
    names = ("since", "until", "version", "label", "tag", "source")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    if not args.live:
        return session.monitor(args.deployment, last=args.last, **given)
    session.watch(args.deployment, last=args.last, **given)
    return None


MONITOR = Verb("monitor", _arguments(), _monitor)
