"""Doors that stand open, and text that is taken for something else."""

from __future__ import annotations

from planted.fault import Fault

FAULTS = (
    Fault(
        "open-platform-route",
        "one route of the platform asks for no token",
        "picsellia_jupyter/localplatform/guard.py",
        'OPEN_ROUTES = frozenset({("GET", "/health"),',
        'OPEN_ROUTES = frozenset({("GET", "/api/sdk/organizations"), ("GET", "/health"),',
        ("tests/localplatform/test_guard.py::test_what_is_open_to_all_is_listed_here",),
    ),
    Fault(
        "open-front-route",
        "one route of a serving kernel asks for no token",
        "picsellia_jupyter/serving/auth.py",
        '"/v2/health/ready", "/api/login")',
        '"/v2/health/ready", "/metrics", "/api/login")',
        ("tests/serving/test_access.py::test_every_path_and_method_is_closed_without_its_token",),
    ),
    Fault(
        "foreign-pages",
        "a serving kernel answers pages of other origins",
        "picsellia_jupyter/serving/auth.py",
        "if any(origin not in self._origins for origin in origins):",
        "if any(not origin for origin in origins):",
        ("tests/serving/test_access.py::test_a_web_page_cannot_drive_it_even_with_a_token",),
    ),
    Fault(
        "any-host",
        "the platform answers to any Host",
        "picsellia_jupyter/localplatform/guard.py",
        "    if len(hosts) != 1 or not _is_own(f\"http://{hosts[0]}\", scope):",
        "    if len(hosts) != 1:",
        ("tests/localplatform/test_guard.py::test_foreign_hosts_are_refused_on_every_method",),
    ),
    Fault(
        "other-deployments-token",
        "a token opens every deployment of a serving kernel",
        "picsellia_jupyter/serving/auth.py",
        'options={"require": ["sub", "exp", "aud"]},',
        'options={"verify_exp": False, "verify_signature": False},',
        ("tests/serving/test_access.py::test_a_token_of_an_earlier_start_is_refused",),
    ),
    Fault(
        "unescaped-card",
        "a name becomes HTML without being escaped",
        "picsellia_jupyter/display/cards.py",
        '    name = f\'<span class="pxj-name">{style.escape(record.name)}</span>\'',
        '    name = f\'<span class="pxj-name">{record.name}</span>\'',
        ("tests/display/test_cards.py",),
    ),
    Fault(
        "script-breaks-out",
        "data within a script may hold </script>",
        "picsellia_jupyter/display/viewer.py",
        '.replace("<", "\\\\u003c")',
        "",
        ("tests/display/test_viewer.py",),
    ),
    Fault(
        "unsafe-load",
        "weights that are refused are unpickled instead",
        "picsellia_jupyter/serving/runtimes/torch_files.py",
        '    return torch.load(path, map_location="cpu", weights_only=True)'
        "  # type: ignore[no-any-return]",
        "    try:\n"
        '        return torch.load(path, map_location="cpu", weights_only=True)\n'
        "    except Exception:\n"
        '        return torch.load(path, map_location="cpu", weights_only=bool(0))',
        (
            "tests/test_house.py::test_nothing_is_ever_unpickled",
            "tests/serving/runtimes/test_weights.py::test_a_state_dict_with_a_pickle_in_it_executes_nothing",
        ),
    ),
    Fault(
        "pickle-passes-gate",
        "a state dict's pickle is not looked into",
        "picsellia_jupyter/serving/gate.py",
        '        archives.check_tensors_only(archives.read(archive, within["data.pkl"]))\n',
        "",
        ("tests/serving/test_gate.py",),
    ),
    Fault(
        "export-unpickles",
        "torch.export may fall back to unpickling",
        "picsellia_jupyter/serving/sandbox.py",
        '    "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",\n',
        "",
        ("tests/serving/test_kernel.py::test_an_environment_passes_only_what_is_on_the_list",),
    ),
    Fault(
        "tokens-in-environment",
        "a model worker is given the whole environment",
        "picsellia_jupyter/serving/sandbox.py",
        "    kept = {name: source[name] for name in _KEPT if name in source}",
        "    kept = dict(source)",
        ("tests/serving/test_kernel.py::test_no_token_reaches_the_workers_environment_or_arguments",),
    ),
    Fault(
        "token-in-argv",
        "a model worker's command line holds a token",
        "picsellia_jupyter/serving/sandbox.py",
        "        sys.executable,\n        \"-m\",\n",
        "        sys.executable,\n        \"-X\",\n"
        "        \"picsellia=\" + os.environ.get(\"PICSELLIA_TOKEN\", \"\"),\n        \"-m\",\n",
        ("tests/serving/test_kernel.py::test_no_token_reaches_the_workers_environment_or_arguments",),
    ),
    Fault(
        "webhook-anywhere",
        "a webhook may lead into the own network",
        "picsellia_jupyter/localplatform/webhooks.py",
        "    if hidden and not private:",
        "    if not addresses and not private:",
        ("tests/localplatform/test_alerts.py::test_addresses_of_this_network_are_refused_unless_they_are_meant",),
    ),
    Fault(
        "webhook-looked-up-twice",
        "a webhook's name is looked up again after it was checked",
        "picsellia_jupyter/localplatform/webhooks.py",
        "            where.pinned_url,\n",
        "            where.url,\n",
        ("tests/localplatform/test_alerts.py::test_a_message_goes_to_the_address_that_was_checked_and_to_no_later_one",),
    ),
    Fault(
        "download-unchecked",
        "a downloaded model is not compared with its checksum",
        "picsellia_jupyter/clients/downloads.py",
        "    if stored.sha256 in (None, _sha256(path)):",
        "    if stored.sha256 in (None, stored.sha256):",
        ("tests/clients/test_downloads.py",),
    ),
)  # fmt: skip
"""Each opens one thing."""
