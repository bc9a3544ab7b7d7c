"""`%registry`."""

from __future__ import annotations

from picsellia_jupyter.magics.verb import Arguments, Verb

REGISTRY = Verb(
    "registry",
    Arguments("registry", "The models of the Private Model Registry, each with its versions."),
    lambda session, _args: session.registry(),
)
