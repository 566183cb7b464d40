"""Encrypted connections to a real server, and those that do not come about."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Optional

import pytest

import contextd
from asking import ask, ask_in_vain
from certificates import SERVER_NAME, Certificates
from contextd import Tls
from contextd_process import ContextdProcess

FORMS = pytest.mark.parametrize("form", ["sync", "async"])


def serving(
    binary: str, folder: pathlib.Path, certificates: Certificates, *flags: str
) -> Iterator[ContextdProcess]:
    """A server that encrypts."""
    own = ("--tls-cert", certificates.path("server"), "--tls-key", certificates.path("server.key"))
    running = ContextdProcess(binary, folder, *own, *flags)
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def encrypted(
    binary: str, tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[ContextdProcess]:
    """A server that takes anybody."""
    yield from serving(binary, tmp_path_factory.mktemp("tls"), certificates)


@pytest.fixture(scope="module")
def strict(
    binary: str, tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[ContextdProcess]:
    """A server that takes only those with a certificate that the first authority signed."""
    ca = ("--tls-client-ca", certificates.path("ca"))
    yield from serving(binary, tmp_path_factory.mktemp("mtls"), certificates, *ca)


@FORMS
def test_the_certificate_of_the_server_is_believed(
    encrypted: ContextdProcess, certificates: Certificates, form: str
) -> None:
    tls = Tls(certificates["ca"], server_name=SERVER_NAME)
    assert ask(form, encrypted.address, tls=tls).version


@FORMS
def test_both_certificates_are_believed(
    strict: ContextdProcess, certificates: Certificates, form: str
) -> None:
    own = (certificates["client"], certificates["client.key"])
    tls = Tls(certificates["ca"], *own, server_name=SERVER_NAME)
    assert ask(form, strict.address, tls=tls).version


@FORMS
@pytest.mark.parametrize(("ca", "name"), [("other", SERVER_NAME), ("ca", "another.test")])
def test_a_server_that_is_not_believed_is_told_at_once(
    encrypted: ContextdProcess, certificates: Certificates, form: str, ca: str, name: str
) -> None:
    tls = Tls(certificates[ca], server_name=name)
    with pytest.raises(contextd.CertificateRejected, match="tried once"):
        ask(form, encrypted.address, tls=tls, timeout=60.0)


@FORMS
@pytest.mark.parametrize("own", [None, "stranger"])
def test_a_client_that_the_server_does_not_believe_gets_no_answer(
    strict: ContextdProcess, certificates: Certificates, form: str, own: Optional[str]
) -> None:
    tls = Tls(certificates["ca"], server_name=SERVER_NAME)
    if own is not None:
        tls = replace(tls, certificate=certificates[own], key=certificates[f"{own}.key"])
    # The server ends the connection without a word that gRPC tells.
    with pytest.raises(contextd.Unavailable, match=f"{strict.address} was tried .* see `tls`"):
        ask_in_vain(form, strict.address, tls=tls)


@FORMS
def test_a_server_that_encrypts_gives_no_answer_without(
    encrypted: ContextdProcess, form: str
) -> None:
    with pytest.raises(contextd.Unavailable, match=f"{encrypted.address} was tried .* see `tls`"):
        ask_in_vain(form, encrypted.address)


@FORMS
def test_a_server_that_does_not_encrypt_is_told_as_that(
    process: ContextdProcess, certificates: Certificates, form: str
) -> None:
    with pytest.raises(contextd.CertificateRejected, match=process.address):
        ask(form, process.address, tls=Tls(certificates["ca"]), timeout=60.0)
