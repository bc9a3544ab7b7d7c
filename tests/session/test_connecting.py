"""Going on at another platform, with tokens from each of their sources."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from picsellia_jupyter.domain.errors import (
    AuthenticationError,
    InvalidInputError,
    NotFoundError,
)
from picsellia_jupyter.launch import asking
from picsellia_jupyter.session import Session
from picsellia_jupyter.session.signing_in import settings_of
from picsellia_jupyter.settings import CLOUD_HOST, Settings


class Keyring:
    """Stands for the package `keyring`."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, address: str) -> str | None:
        return self.kept.get((service, address))

    def set_password(self, service: str, address: str, token: str) -> None:
        self.kept[service, address] = token


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    made = Keyring()
    monkeypatch.setitem(
        sys.modules,
        "keyring",
        SimpleNamespace(get_password=made.get_password, set_password=made.set_password),
    )
    return made


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the user was asked; nobody answers."""
    questions: list[str] = []
    monkeypatch.setattr(asking, "for_secret", questions.append)
    return questions


@pytest.fixture
def session(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Session:
    for name in ("PICSELLIA_HOST", "PICSELLIA_TOKEN", "PICSELLIA_ORGANIZATION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PICSELLIA_JUPYTER_HOME", str(tmp_path))
    return Session()


def test_a_token_that_is_typed_is_taken_and_kept(
    session: Session, platform, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(asking, "for_secret", lambda _text: f" {platform.token}\n")

    status = session.connect(f"{platform.host}/", organization=platform.organization)

    assert status.rows["Platform"] == f"local platform at {platform.host}"
    assert platform.token not in repr(status) + repr(session) + repr(vars(session))
    assert keyring.kept == {("picsellia_jupyter", platform.host): platform.token}


def test_a_token_of_the_keyring_is_taken_unasked(
    session: Session, platform, keyring: Keyring, asked: list[str]
):
    keyring.set_password("picsellia_jupyter", platform.host, platform.token)

    session.connect(platform.host)

    assert session.platform.host == platform.host
    assert asked == []


def test_where_no_token_is_accepted_the_session_stays_where_it_was(
    session: Session, platform, keyring: Keyring, asked: list[str]
):
    keyring.set_password("picsellia_jupyter", platform.host, platform.token)
    session.connect(platform.host)
    keyring.set_password("picsellia_jupyter", platform.host, "expired")

    with pytest.raises(AuthenticationError, match="token"):
        session.connect(platform.host)

    assert asked == [f"API token for {platform.host} (Profile → Token there): "]
    assert session.platform.token == platform.token


def test_without_any_token_the_remedy_is_told(
    session: Session, platform, keyring: Keyring, asked: list[str]
):
    with pytest.raises(AuthenticationError, match=f"No API token for {platform.host}") as told:
        session.connect(platform.host)

    assert "PICSELLIA_TOKEN" in told.value.remedy


def test_an_organization_that_is_not_there_is_told(
    session: Session, platform, keyring: Keyring, asked: list[str]
):
    keyring.set_password("picsellia_jupyter", platform.host, platform.token)

    with pytest.raises(NotFoundError, match="nowhere"):
        session.connect(platform.host, organization="nowhere")


def test_the_token_of_the_environment_is_for_its_own_host_alone(tmp_path):
    mine = Settings(home=tmp_path, host="https://mine", token="secret")
    cloud = Settings(home=tmp_path, token="secret")

    assert settings_of(mine, None, None).token == "secret"
    assert settings_of(mine, "https://mine/", None).token == "secret"
    assert settings_of(cloud, None, "Lab") == Settings(
        home=tmp_path, host=CLOUD_HOST, token="secret", organization="Lab"
    )
    assert settings_of(mine, "https://theirs", None).token is None
    assert settings_of(cloud, "https://theirs", None).token is None
    assert settings_of(mine, "local", None) == Settings(home=tmp_path)


def test_what_is_no_address_is_told(session: Session):
    with pytest.raises(InvalidInputError, match="'gpu1' is no address of a platform") as told:
        session.connect("gpu1")

    assert "local for the local platform" in told.value.remedy
