"""Every case of tests/conformance, with the client for threads and the one for asyncio.

The cases that were selected run a few at a time, as they mostly wait: for the disk, for a server
that starts. Each test waits for its own.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Optional

import pytest

from certificates import Certificates
from conformance import language
from conformance.language import Case
from conformance.not_yet import NOT_YET
from conformance.running import flags_of, run_case
from conformance.security import Security
from conformance.world import AsyncWorld, World, run_to_end
from contextd_process import ContextdProcess

AT_ONCE = 4

Run = Callable[[Case, str], None]


@pytest.fixture(scope="session")
def run(
    request: pytest.FixtureRequest,
    binary: str,
    shared: ContextdProcess,
    addresses: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Run]:
    """Runs a case with the client for ``threads`` or ``asyncio``, and raises what it raised."""

    def run_with(
        case: Case, server: ContextdProcess, client: str, security: Optional[Security] = None
    ) -> None:
        is_own = "server" in case.words
        arguments: Any = (f"case-{uuid.uuid4()}", server, addresses, is_own, security)
        if client == "threads":
            run_to_end(run_case(case, World(*arguments)))
        else:
            asyncio.run(run_case(case, AsyncWorld(*arguments)))

    def run_one(case: Case, client: str) -> None:
        if "server" not in case.words:
            run_with(case, shared, client)
            return
        settings = dict(case.words["server"])
        kind = settings.pop("tls", None)
        flags, security = flags_of(settings), None
        if kind is not None:
            security = Security(Certificates(tmp_path_factory.mktemp("tls")), kind)
            flags += security.flags()
        own = ContextdProcess(binary, tmp_path_factory.mktemp("own"), *flags)
        own.start()
        try:
            run_with(case, own, client, security)
        finally:
            own.kill()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        running: dict[tuple[str, str], Future[None]] = {
            (case.id, client): pool.submit(run_one, case, client)
            for case, client in selected(request.session.items)
        }
        yield lambda case, client: running[case.id, client].result()


def selected(tests: list[pytest.Item]) -> Iterator[tuple[Case, str]]:
    """The cases of those tests that run one."""
    for test in tests:
        if isinstance(test, pytest.Function) and "run" in test.fixturenames:
            case: Any = test.callspec.params["case"]
            client: Any = test.callspec.params["client"]
            yield case, client


def name_of(case: Case) -> str:
    return f"{case.file}/{case.id}"


def expected_to_pass(case: Case) -> Any:
    """The case; one that is listed as not offered yet must fail."""
    missing = NOT_YET.get(case.id)
    marks = () if missing is None else (pytest.mark.xfail(reason=missing, strict=True),)
    return pytest.param(case, id=name_of(case), marks=marks)


@pytest.mark.parametrize("client", ["threads", "asyncio"])
@pytest.mark.parametrize("case", [*map(expected_to_pass, language.read_cases("cases"))])
def test_the_client_does_what_the_case_says(case: Case, client: str, run: Run) -> None:
    run(case, client)


@pytest.mark.parametrize("client", ["threads", "asyncio"])
@pytest.mark.parametrize("case", language.read_cases("must_fail"), ids=name_of)
def test_a_case_that_is_wrong_fails_where_it_is_wrong(case: Case, client: str, run: Run) -> None:
    with pytest.raises(AssertionError) as failed:
        run(case, client)
    assert str(failed.value).startswith(f"step {case.words['fails_at']}: ")
    assert case.words.get("says", "") in str(failed.value)


def test_what_is_not_offered_yet_are_cases() -> None:
    assert NOT_YET.keys() <= {case.id for case in language.read_cases("cases")}
