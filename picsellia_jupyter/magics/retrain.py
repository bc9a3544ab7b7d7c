"""`%retrain`: a training run of a deployment's model, live while it goes on."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.magics.verb import Arguments, Verb

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session


def _arguments() -> Arguments:
    parser = Arguments(
        "retrain",
        "Train a deployment's model anew, as its continuous training is set up:\n\n"
        "    %retrain my-line             begin, and show how far it is\n"
        "    %retrain my-line --on gpu1   in a kernel of that Jupyter server\n"
        "    %retrain my-line --follow    show the run that is under way, or the last one\n"
        "    %retrain my-line --show      what is set up, and all runs\n\n"
        "An interrupt leaves the run going on; --cancel ends it, --retry does a failed one again.",
    )
    parser.add_argument("deployment", nargs="?", help="its name; the newest deployment without one")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--follow", action="store_true", help="show the newest run until it is over")
    what.add_argument("--show", action="store_true", help="show what is set up, and all runs")
    what.add_argument("--cancel", action="store_true", help="end the run that is under way")
    what.add_argument("--retry", action="store_true", help="do the newest run again, which failed")
    parser.add_argument(
        "--on", metavar="PLACE",
        help="where its notebook runs: a Jupyter server (a name of %%places or its address); "
        "beside the platform without it",
    )  # fmt: skip
    parser.add_argument("--no-wait", action="store_true", help="begin, and do not wait for its end")
    return parser


def _retrain(session: Session, args: argparse.Namespace) -> object:
    if args.on and (args.follow or args.show or args.cancel or args.retry):
        raise InvalidInputError(
            f"--on {args.on} says where a new run is done; none is begun here.", "Leave out --on."
        )
    training = session.training(args.deployment)
    if args.show:
        return training
    if args.cancel:
        return training.newest().cancel()
    run = training.newest() if args.follow or args.retry else training.start(args.on)
    run = run.retry() if args.retry else run
    return run if args.no_wait else run.shown()


RETRAIN = Verb("retrain", _arguments(), _retrain)
