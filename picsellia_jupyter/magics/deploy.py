"""`%deploy`, `%deployments` and `%undeploy`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from picsellia_jupyter.magics.progress import ProgressView
from picsellia_jupyter.magics.verb import Arguments, Verb

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session


def _deploy_arguments() -> Arguments:
    parser = Arguments(
        "deploy",
        "Deploy a model version and serve it:\n\n"
        "    %deploy                                     what can be deployed\n"
        "    %deploy digits-detector --threshold 0.3     its newest version, here\n"
        "    d = %deploy digits-detector:0               a certain version, kept as d\n"
        "    %deploy digits-detector --on gpu1 --device cuda\n"
        "    %deploy digits-detector --strategy monitoring --name my-line\n\n"
        "The last one starts nothing: you serve the model and send every prediction back.\n"
        "The same name for the same model version is the same deployment, so a cell can be\n"
        "run again. A word $name stands for the value of a variable.",
    )
    parser.add_argument(
        "model", nargs="?", help="a model's name, or name:version; without one, a form opens"
    )
    parser.add_argument(
        "--strategy",
        default="serving",
        metavar="serving|monitoring",
        help="Picsellia Serving (the default), or Monitoring only",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        metavar="T",
        help="in [0, 1]; only shapes scored over it are considered (default 0.1); "
        "none for classification",
    )
    parser.add_argument("--datalake", metavar="DATALAKE", help="where predicted images are stored")
    parser.add_argument(
        "--on",
        metavar="PLACE",
        help="where its serving kernel runs: local, a Jupyter server (a name of %%places or its "
        "address), ray or ray:ADDRESS",
    )
    parser.add_argument("--name", help="of the deployment; two words are made up without one")
    parser.add_argument(
        "--file", default="model-latest", metavar="NAME", help="model file to serve"
    )
    parser.add_argument(
        "--device", metavar="auto|cpu|cuda[:N]", help="what it runs on: a GPU if there is one"
    )
    parser.add_argument(
        "--precision",
        metavar="auto|fp32|fp16|bf16",
        help="less than fp32 where that is faster and the outputs stay close (the default)",
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes that hold the model; else what pays"
    )
    parser.add_argument(
        "--idle", metavar="12h|never", help="it ends after so long without a request (default 12h)"
    )
    parser.add_argument("--replicas", metavar="N|A..B", help="how many serve it, with --on ray")
    parser.add_argument(
        "--install", action="store_true", help="install this package where the place lacks it"
    )
    return parser


def _deploy(session: Session, args: argparse.Namespace) -> object:
    if args.model is None:
        return _open_form(session)
    with ProgressView() as view:
        return session.deploy(
            args.model,
            strategy=args.strategy,
            threshold=args.threshold,
            datalake=args.datalake,
            on=args.on,
            name=args.name,
            file=args.file,
            device=args.device,
            precision=args.precision,
            workers=args.workers,
            idle=args.idle,
            replicas=args.replicas,
            install=args.install,
            progress=view,
        )


def _open_form(session: Session) -> object:
    """The form where something can show it; what can be deployed elsewhere."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None or getattr(shell, "kernel", None) is None:
        return session.registry()
    from picsellia_jupyter.magics.shells import ShellKernel
    from picsellia_jupyter.widgets.deploy_modal import DeployModal

    DeployModal(session, ShellKernel(shell)).open()
    return None


def _undeploy_arguments() -> Arguments:
    parser = Arguments(
        "undeploy",
        "End a deployment's serving kernel; its predictions and dashboard stay:\n\n"
        "    %undeploy my-line\n"
        "    %undeploy my-line --delete",
    )
    parser.add_argument("name", metavar="DEPLOYMENT", help="its name or id")
    parser.add_argument("--delete", action="store_true", help="also remove it with its predictions")
    return parser


def _undeploy(session: Session, args: argparse.Namespace) -> object:
    session.undeploy(args.name, args.delete)
    return None if args.delete else session.deployment(args.name)


def _deployments_arguments() -> Arguments:
    return Arguments("deployments", "All deployments with their states, newest first.")


DEPLOY = Verb("deploy", _deploy_arguments(), _deploy)
UNDEPLOY = Verb("undeploy", _undeploy_arguments(), _undeploy)
DEPLOYMENTS = Verb("deployments", _deployments_arguments(), lambda s, _args: s.deployments())
