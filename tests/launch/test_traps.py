"""What leads requests astray is found and told, and no secret with it."""

from pathlib import Path

import pytest
import requests

from picsellia_jupyter.domain.diagnosis import Fact
from picsellia_jupyter.launch import traps


def by_name(facts) -> dict[str, Fact]:
    return {fact.name: fact for fact in facts}


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "all_proxy"])
def test_a_proxy_that_is_asked_for_this_machine_too_is_told_with_what_to_type(name: str):
    found = by_name(traps.proxies({name: "http://proxy:3128"}))
    assert found[name].value == "http://proxy:3128"
    assert found["no_proxy"].value == "not set"
    assert found["no_proxy"].remedy.startswith("export no_proxy=127.0.0.1,localhost NO_PROXY=")


@pytest.mark.parametrize(
    ("excepted", "amiss"),
    [
        ("127.0.0.1,localhost", False),
        ("localhost, 127.0.0.0/8", False),
        ("*", False),
        ("127.0.0.1", True),
        ("localhost,10.0.0.0/8", True),
        (".corp", True),
    ],
)
def test_what_proxies_are_not_asked_for_counts(monkeypatch, excepted: str, amiss: bool):
    found = by_name(traps.proxies({"http_proxy": "http://proxy:3128", "NO_PROXY": excepted}))
    assert bool(found["no_proxy"].remedy) is amiss
    assert not amiss or "with what is there already" in found["no_proxy"].remedy
    # As the library does that the SDK speaks through.
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", excepted)
    asked = [
        host
        for host in traps.LOOPBACK
        if not requests.utils.should_bypass_proxies(f"http://{host}:1", no_proxy=None)
    ]
    assert bool(asked) is amiss


def test_without_a_proxy_nothing_is_amiss():
    assert list(traps.proxies({})) == [Fact("Proxies", "proxies", "none")]


def test_entries_of_a_netrc_file_that_replace_the_token_are_told_without_their_words(
    tmp_path: Path,
):
    (tmp_path / ".netrc").write_text(
        "machine 127.0.0.1 login me password canary-1\n"
        "machine picsellia.corp login me password canary-2\n"
        "machine other.corp login me password canary-3\n"
        "default login anonymous password canary-4\n"
    )
    (tmp_path / ".netrc").chmod(0o600)
    hosts = traps.host_of("https://picsellia.corp:8443")
    found = by_name(traps.netrc_files({}, tmp_path, hosts))

    assert set(found) == {"file", "127.0.0.1", "picsellia.corp", "default"}
    assert found["127.0.0.1"].value == "its entry is sent instead of the token"
    assert found["127.0.0.1"].remedy == f"Remove the entry of 127.0.0.1 from {tmp_path}/.netrc."
    assert "name its hosts one by one" in found["default"].remedy
    assert "canary" not in repr(found)
    assert "canary-3" in traps.netrc_secrets({}, tmp_path)


def test_a_netrc_file_that_cannot_be_read_says_so_without_its_line(tmp_path: Path):
    (tmp_path / "other").write_text("machine 127.0.0.1 canary-5 canary-6\n")
    environment = {"NETRC": str(tmp_path / "other")}
    (fact,) = traps.netrc_files(environment, tmp_path, [])
    assert fact.value == f"{tmp_path}/other cannot be read: NetrcParseError"
    assert traps.netrc_secrets(environment, tmp_path) == set()


def test_without_a_netrc_file_nothing_is_amiss(tmp_path: Path):
    assert list(traps.netrc_files({}, tmp_path, [])) == [Fact("netrc", "file", "none")]
    assert traps.host_of(None) == []


def test_a_file_of_certificates_that_is_not_there_is_told(tmp_path: Path):
    lost = str(tmp_path / "lost.pem")
    found = traps.certificates({"REQUESTS_CA_BUNDLE": lost, "SSL_CERT_DIR": str(tmp_path)})
    assert [fact.remedy for fact in found] == [
        "There is no such file: unset REQUESTS_CA_BUNDLE",
        "",
    ]
