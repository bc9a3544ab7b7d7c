"""`%places`: where serving kernels can run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from picsellia_jupyter.magics.verb import Arguments, Verb

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session


def _arguments() -> Arguments:
    parser = Arguments(
        "places",
        "Where serving kernels can run, and what each place has:\n\n"
        "    %places\n"
        "    %places add gpu1 https://gpu-box:8888\n"
        "    %places remove gpu1\n\n"
        "A place is a Jupyter server or Kernel Gateway; %deploy MODEL --on gpu1 serves there. "
        "Its token comes from PICSELLIA_PLACE_GPU1_TOKEN, PICSELLIA_PLACE_TOKEN or the keyring, "
        "or you are asked for it; it is never saved with the place.",
    )
    parser.add_argument("what", nargs="?", choices=("add", "remove"), help="what to do")
    parser.add_argument("name", nargs="?", metavar="PLACE", help="its name, as in --on PLACE")
    parser.add_argument("url", nargs="?", help="of its Jupyter server, as the browser shows it")
    return parser


def _places(session: Session, args: argparse.Namespace) -> object:
    if args.what == "add":
        if not args.url:
            PLACES.arguments.error("add needs a name and an address")
        session.add_place(args.name, args.url)
    elif args.what == "remove":
        if not args.name:
            PLACES.arguments.error("remove needs a name")
        session.remove_place(args.name)
    return session.places()


PLACES = Verb("places", _arguments(), _places)
