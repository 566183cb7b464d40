"""The rules in one step: what it takes for plain keeps each of them."""

from __future__ import annotations

import pytest

from contextd import InvalidField, _rules
from contextd.v1 import context_manager_pb2 as pb

NAMES = ["n" * 63, "c" * 256, "k" * 512, "t" * 128]


def put_of(namespace: str, context_id: str, key: str, content_type: str) -> pb.UpdateContextRequest:
    request = pb.UpdateContextRequest(namespace=namespace, context_id=context_id)
    put = request.mutations.add().put_entry
    put.SetInParent()
    put.key = key
    put.content_type = content_type
    return request


def changed(place: int, name: str) -> list[str]:
    """Plain names, but for one."""
    return [name if index == place else plain for index, plain in enumerate(["n", "c", "k", "t"])]


def test_names_of_all_lengths_are_plain() -> None:
    for names in (NAMES, ["n", "c", "k", ""], ["a.b-c_d0", "~ !", "a b", "text/x; y=z"]):
        assert _rules.is_plain_put(*names)
        _rules.check(put_of(*names))


@pytest.mark.parametrize("place", range(4))
def test_a_name_that_is_refused_is_not_plain(place: int) -> None:
    too_long = NAMES[place] + "x"
    for name in ("", too_long, "a\0b", "a\nb", "a\n", "\x7f", "a\0b\0c"):
        names = changed(place, name)
        try:
            _rules.check(put_of(*names))
        except InvalidField:
            assert not _rules.is_plain_put(*names)


def test_a_name_of_other_letters_is_looked_at_rule_by_rule() -> None:
    for place in (1, 2, 3):
        names = changed(place, "zażółć")
        assert not _rules.is_plain_put(*names)
        _rules.check(put_of(*names))
