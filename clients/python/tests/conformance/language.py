"""The language of the cases: what a text stands for, and what a result is like. No I/O."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

FOLDER = pathlib.Path(__file__).parents[4] / "tests" / "conformance"
WORDS: Mapping[str, Any] = yaml.safe_load((FOLDER / "operations.yaml").read_text())

_NAME = re.compile(r"\$\{(\w+)\}")
_STEP_KEYS = frozenset({"expect", "error", "save", "client"})
_CLOSE_ENOUGH = 1e-6


class Mismatch(AssertionError):
    """Something is not as a case expects it."""


@dataclass(frozen=True)
class Case:
    """One case, as its file has it."""

    id: str
    file: str
    words: Mapping[str, Any]

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        """What is done, in order."""
        return list(self.words["steps"])


def read_cases(folder: str) -> list[Case]:
    """Reads all cases of ``cases`` or ``must_fail``."""
    return [
        Case(words["id"], path.stem, words)
        for path in sorted((FOLDER / folder).glob("*.yaml"))
        for words in yaml.safe_load(path.read_text())["cases"]
    ]


def operation_of(step: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The operation of a step and its arguments."""
    names = [name for name in step if name not in _STEP_KEYS]
    if len(names) != 1 or names[0] not in WORDS["operations"]:
        raise ValueError(f"a step has one operation, not {names}")
    return names[0], step[names[0]] or {}


def _named(name: str, names: Mapping[str, Any]) -> Any:
    if name not in names:
        raise Mismatch(f"nothing was saved as {name!r}")
    return names[name]


def filled(tree: Any, names: Mapping[str, Any]) -> Any:
    """The tree with everything in the place of ``${name}``, and long texts made."""
    if isinstance(tree, str):
        whole = _NAME.fullmatch(tree)
        if whole:
            return _named(whole[1], names)
        return _NAME.sub(lambda found: str(_named(found[1], names)), tree)
    if isinstance(tree, list):
        return [filled(element, names) for element in tree]
    if isinstance(tree, dict):
        if tree.keys() == {"repeat", "bytes"}:
            return _long(str(filled(tree["repeat"], names)), tree["bytes"])
        return {str(filled(key, names)): filled(value, names) for key, value in tree.items()}
    return tree


def _long(text: str, size: int) -> str:
    return (text * (size // len(text.encode()) + 1)).encode()[:size].decode()


def part_of(tree: Any, path: str) -> Any:
    """The part of a result that a path of ``save`` names."""
    for name in path.split(".") if path else ():
        try:
            tree = tree[int(name)] if isinstance(tree, list) else tree[name]
        except (KeyError, IndexError, TypeError):
            raise Mismatch(f"there is no {path!r} in {shown(tree)}") from None
    return tree


def shown(tree: Any) -> str:
    """What to say of a tree, not too much of it."""
    text = repr(tree)
    return text if len(text) <= 300 else f"{text[:300]}... ({len(text)} characters)"


def _fail(expected: Any, got: Any, path: str) -> None:
    raise Mismatch(f"expected {shown(expected)}, got {shown(got)} at {path or 'the top'}")


def fits(expected: Any, got: Any) -> bool:
    """Whether something is as expected."""
    try:
        check(expected, got)
    except Mismatch:
        return False
    return True


def check(expected: Any, got: Any, path: str = "") -> None:
    """Raises :class:`Mismatch` where something is not as expected."""
    if isinstance(expected, dict):
        if expected and all(str(name).startswith("$") for name in expected):
            for name, than in expected.items():
                _check_condition(name, than, got, path)
        else:
            _check_fields(expected, got, path)
    elif isinstance(expected, list):
        if not isinstance(got, list) or len(got) != len(expected):
            _fail(expected, got, path)
        for index, element in enumerate(expected):
            check(element, got[index], f"{path}.{index}")
    elif not _equal(expected, got):
        _fail(expected, got, path)


def _equal(expected: Any, got: Any) -> bool:
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    if isinstance(expected, float) or isinstance(got, float):
        return _is_number(expected, got) and abs(expected - got) <= _CLOSE_ENOUGH
    return type(expected) is type(got) and bool(expected == got)


def _is_number(*values: Any) -> bool:
    return all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)


def _check_fields(expected: Mapping[str, Any], got: Any, path: str) -> None:
    for name, value in expected.items():
        if not isinstance(got, dict) or name not in got:
            _fail({name: value}, got, path)
        check(value, got[name], f"{path}.{name}")


def _check_condition(name: str, than: Any, got: Any, path: str) -> None:
    if name == "$only" and isinstance(got, dict) and got.keys() == than.keys():
        _check_fields(than, got, path)
    elif name == "$size" and isinstance(got, (list, dict, str)):
        check(than, len(got.encode() if isinstance(got, str) else got), f"{path}.$size")
    elif name not in _CONDITIONS or not _CONDITIONS[name](than, got):
        _fail({name: than}, got, path)


def _has(than: Any, got: Any) -> bool:
    if isinstance(got, list):
        return any(fits(than, element) for element in got)
    return isinstance(got, (str, dict)) and than in got


def _unordered(than: list[Any], got: Any) -> bool:
    if not isinstance(got, list) or len(got) != len(than):
        return False
    left = list(got)
    for expected in than:
        found = next((i for i, element in enumerate(left) if fits(expected, element)), None)
        if found is None:
            return False
        del left[found]
    return True


_CONDITIONS: Mapping[str, Any] = {
    "$has": _has,
    "$unordered": _unordered,
    "$gt": lambda than, got: _is_number(than, got) and got > than,
    "$gte": lambda than, got: _is_number(than, got) and got >= than,
    "$lt": lambda than, got: _is_number(than, got) and got < than,
    "$lte": lambda than, got: _is_number(than, got) and got <= than,
    "$not": lambda than, got: not fits(than, got),
    "$one_of": lambda than, got: any(fits(one, got) for one in than),
    "$any": lambda than, got: bool(got) is than,
}


def rounds(times: int) -> Iterator[int]:
    """The counts of a ``repeat``."""
    return iter(range(1, times + 1))
