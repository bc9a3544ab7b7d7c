"""`%picsellia doctor`."""

from __future__ import annotations

from picsellia_jupyter.magics.verb import Arguments, Verb


def _arguments() -> Arguments:
    arguments = Arguments(
        "picsellia doctor", "The serving kernels of this machine, and what they left behind."
    )
    arguments.add_argument("--fix", action="store_true", help="put right what can be")
    return arguments


DOCTOR = Verb("doctor", _arguments(), lambda session, args: session.doctor(fix=args.fix))
