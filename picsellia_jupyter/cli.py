"""The `picsellia-jupyter` command: the local platform's life, and the demo."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.settings import Settings

if TYPE_CHECKING:
    _Parts = argparse._SubParsersAction[argparse.ArgumentParser]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    try:
        args = command_parser().parse_args(arguments)
        return int(args.run(args))
    except PicselliaJupyterError as error:
        sys.stderr.write(f"{error.fact}\n")
        if error.remedy:
            sys.stderr.write(f"{error.remedy}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def command_parser() -> argparse.ArgumentParser:
    """What the command takes."""
    home = argparse.ArgumentParser(add_help=False)
    home.add_argument(
        "--home",
        type=Path,
        default=Settings.from_environment().home,
        help="data directory (default: %(default)s)",
    )
    home.add_argument("--json", action="store_true", help="print one JSON line")
    parser = argparse.ArgumentParser("picsellia-jupyter", description=__doc__)
    parts = parser.add_subparsers(required=True, metavar="COMMAND")

    platform = parts.add_parser("platform", help="the embedded local platform").add_subparsers(
        required=True, metavar="VERB"
    )
    for verb, run, text in (
        ("run", _run, "serve in the foreground"),
        ("start", _start, "serve in the background, or attach to the one there"),
        ("status", _status, "say whether it runs, and where"),
        ("stop", _stop, "stop it"),
    ):
        command = platform.add_parser(verb, help=text, parents=[home])
        command.set_defaults(run=run)
        if verb in ("run", "start"):
            command.add_argument(
                "--port",
                type=int,
                default=0,
                help="0 (default): the last one, or any free one",
            )
            command.add_argument(
                "--database",
                metavar="URL",
                help="postgresql://USER@HOST/NAME instead of SQLite; kept from then on",
            )
    for verb, text in (
        ("backup", "write everything to FILE, also while it runs"),
        ("restore", "fill an empty data directory from FILE"),
        ("check", "look whether everything is whole, here or in a backup"),
    ):
        command = platform.add_parser(verb, help=text, parents=[home])
        command.add_argument("file", metavar="FILE", nargs="?" if verb == "check" else None)
        command.set_defaults(run=_keep, verb=verb, database=None)
        if verb == "restore":
            command.add_argument("--database", metavar="URL", help="postgresql://USER@HOST/NAME")

    demo = parts.add_parser("demo", help="models trained on real data").add_subparsers(
        required=True, metavar="VERB"
    )
    seed = demo.add_parser("seed", help="register the demo models", parents=[home])
    seed.add_argument(
        "--host", metavar="URL", help="of a cloud, with PICSELLIA_TOKEN (default: the local one)"
    )
    seed.set_defaults(run=_seed)

    _add_usage(parts, home)
    _add_spool(parts, home)

    doctor = parts.add_parser(
        "doctor",
        help="the serving kernels of this machine, and what they left behind",
        parents=[home],
    )
    doctor.add_argument("--fix", action="store_true", help="put right what can be")
    doctor.add_argument(
        "--report",
        metavar="FILE",
        nargs="?",
        const="picsellia-report.md",
        help="write all that a bug report needs, without secrets (default: %(const)s)",
    )
    doctor.set_defaults(run=_doctor)
    return parser


def _add_usage(parts: _Parts, home: argparse.ArgumentParser) -> None:
    usage = parts.add_parser("usage", help="MPU on the local platform").add_subparsers(
        required=True, metavar="VERB"
    )
    show = usage.add_parser("show", help="say what was used and what is left", parents=[home])
    show.set_defaults(run=_usage, quota=None, rate=None)
    change = usage.add_parser("set", help="set the quota or the rate", parents=[home])
    change.add_argument("--quota", metavar="MPU", help="MPU in all, or none for no limit")
    change.add_argument("--rate", metavar="MPU", help="MPU for an hour of serving: an estimate")
    change.set_defaults(run=_usage)


def _add_spool(parts: _Parts, home: argparse.ArgumentParser) -> None:
    spool = parts.add_parser(
        "spool", help="predictions on this machine that are not recorded yet"
    ).add_subparsers(required=True, metavar="VERB")
    for verb, text in (
        ("list", "how many wait since when, and what was refused and why"),
        ("retry", "have what was refused tried again by the next program that records"),
        ("drop", "remove what was refused, for good"),
    ):
        command = spool.add_parser(verb, help=text, parents=[home])
        command.set_defaults(run=_spool, verb=verb, deployment=None)
        if verb != "list":
            command.add_argument(
                "deployment", metavar="ID", nargs=None if verb == "drop" else "?",
                help="of a deployment, as `spool list` shows it",
            )  # fmt: skip


def _run(args: argparse.Namespace) -> int:
    # The platform is a program of its own: it is run, never imported, and takes our place,
    # so that whoever ends this process ends the platform.
    command = [sys.executable, "-m", "picsellia_jupyter.localplatform", "--home", str(args.home)]
    command += ["--port", str(args.port), *(["--json"] if args.json else [])]
    command += ["--database", args.database] if args.database else []
    if os.name == "posix":
        os.execv(sys.executable, command)  # noqa: S606 - our own interpreter and module
    return subprocess.run(command, check=False).returncode  # noqa: S603 - the same


def _keep(args: argparse.Namespace) -> int:
    command = [sys.executable, "-m", "picsellia_jupyter.localplatform.upkeep", args.verb]
    command += [args.file] if args.file else []
    command += ["--home", str(args.home), *(["--json"] if args.json else [])]
    command += ["--database", args.database] if args.database else []
    return subprocess.run(command, check=False).returncode  # noqa: S603 - our own module


def _start(args: argparse.Namespace) -> int:
    _tell(
        local_platform.start(args.home, port=args.port, database=args.database), as_json=args.json
    )
    return 0


def _status(args: argparse.Namespace) -> int:
    running = local_platform.find(args.home)
    if running is None:
        sys.stdout.write("null\n" if args.json else f"No local platform runs in {args.home}.\n")
        return 3
    _tell(running, as_json=args.json)
    return 0


def _stop(args: argparse.Namespace) -> int:
    stopped = local_platform.stop(args.home)
    if args.json:
        sys.stdout.write(json.dumps({"stopped": stopped}) + "\n")
    else:
        sys.stdout.write("Stopped.\n" if stopped else f"No local platform runs in {args.home}.\n")
    return 0


def _seed(args: argparse.Namespace) -> int:
    from picsellia_jupyter.demo.seed import seed
    from picsellia_jupyter.session import Session

    made = seed(Session(args.host) if args.host else Session(home=args.home))
    if args.json:
        sys.stdout.write(json.dumps({"models": list(made)}) + "\n")
    else:
        text = f"Registered {', '.join(made)}." if made else "The demo models are there already."
        sys.stdout.write(f"{text}\n")
    return 0


def _usage(args: argparse.Namespace) -> int:
    from picsellia_jupyter.domain.usage import parse_quota, parse_rate
    from picsellia_jupyter.session import Session

    quota = parse_quota(args.quota) if args.quota is not None else None
    rate = parse_rate(args.rate) if args.rate is not None else None
    session = Session(home=args.home)
    if args.quota is not None:
        session.set_quota(quota)
    if rate is not None:
        session.set_rate(rate)
    view = session.usage()
    text = json.dumps(dataclasses.asdict(view.data)) if args.json else repr(view)
    sys.stdout.write(f"{text}\n")
    return 0


def _doctor(args: argparse.Namespace) -> int:
    """The status is 4 where something is amiss still."""
    from picsellia_jupyter.display.diagnoses import diagnosis_text
    from picsellia_jupyter.launch import strays

    if args.report is not None:
        return _report(args)
    found = strays.diagnose(logs=args.home / "cache" / "logs", fix=args.fix)
    if local_platform.find(args.home):
        from picsellia_jupyter.session import Session

        halted = strays.halted(Session(home=args.home).platform.deployments(), found.kernels)
        found = dataclasses.replace(found, findings=found.findings + halted)
    text = json.dumps(dataclasses.asdict(found)) if args.json else diagnosis_text(found)
    sys.stdout.write(f"{text}\n")
    return 0 if all(finding.fixed for finding in found.findings) else 4


def _report(args: argparse.Namespace) -> int:
    from picsellia_jupyter.session import Session

    own = args.home == Settings.from_environment().home
    # A data directory that was named has a local platform; else it is the environment's.
    session = Session() if own else Session(home=args.home)
    view = session.bug_report(args.report, fix=args.fix)
    text = json.dumps(dataclasses.asdict(view.data)) if args.json else repr(view)
    sys.stdout.write(f"{text}\n")
    return 4 if view.data.amiss else 0


def _spool(args: argparse.Namespace) -> int:
    from picsellia_jupyter.display.spools import spools_text
    from picsellia_jupyter.recording import shelf

    folder = Settings(home=args.home).spools
    if args.verb == "list":
        found = shelf.depths(folder)
        said: object = [dataclasses.asdict(one) for one in found]
        text = spools_text(found)
    else:
        change = shelf.retry if args.verb == "retry" else shelf.drop
        count = change(folder, args.deployment)
        said = {"changed": count}
        done = "to be tried again" if args.verb == "retry" else "dropped"
        text = f"{count} prediction{'s' if count != 1 else ''} {done}."
    sys.stdout.write(f"{json.dumps(said) if args.json else text}\n")
    return 0


def _tell(running: local_platform.RunningPlatform, *, as_json: bool) -> None:
    if as_json:
        said = {
            "host": running.host,
            "token": running.token,
            "organization": running.organization,
        }
        sys.stdout.write(json.dumps(said) + "\n")
    else:
        sys.stdout.write(f"The local platform answers at {running.host} (process {running.pid}).\n")


if __name__ == "__main__":
    sys.exit(main())
