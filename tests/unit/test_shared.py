"""glupy.Shared: plain values by name, for all interpreters of a process."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from glupy import Gfid, Shared


@pytest.fixture
def shared(request: pytest.FixtureRequest) -> Shared:
    return Shared(f"tests.{request.node.name}")


VALUES: list[Any] = [None, True, -1, 10**40, 1.5, 2j, "text é \0 x", b"\0bytes", (1, "two"), [1, [2]], {"a": {"b": 1}},
                     {1, 2}, frozenset("ab"), "", b"", ()]


def test_every_plain_value(shared: Shared) -> None:
    for value in VALUES:
        shared.set("name", value)
        assert shared.get("name", "missing") == value
        assert type(shared.get("name")) is type(value)


def test_many_names(shared: Shared) -> None:
    names = {f"name {i}" for i in range(1000)} | {"", "é", "with\0nul"}
    for name in names:
        shared.set(name, name)
    assert set(shared.keys()) == names and len(shared.keys()) == len(names)
    assert all(shared.get(name) == name for name in names)
    assert all(shared.pop(name) == name for name in names)
    assert shared.keys() == [] and "é" not in shared and shared.pop("é", 5) == 5


def test_a_copy_comes_out(shared: Shared) -> None:
    value = [1]
    shared.set("list", value)
    value.append(2)
    shared.get("list").append(3)
    assert shared.get("list") == [1]


def test_namespaces_are_apart(shared: Shared) -> None:
    other = Shared(shared.namespace + ".other")
    shared.set("name", 1)
    assert other.get("name") is None and "name" not in other and other.keys() == []
    assert Shared(shared.namespace).get("name") == 1


def test_setdefault(shared: Shared) -> None:
    assert shared.setdefault("name", [1]) == [1]
    assert shared.setdefault("name", [2]) == [1]
    assert shared.get("name") == [1]


def test_change(shared: Shared) -> None:
    assert shared.change("name", lambda value: value + [1], []) == [1]
    assert shared.change("name", lambda value: value + [2], []) == [1, 2]
    with pytest.raises(ZeroDivisionError):
        shared.change("name", lambda value: 1 // 0)
    assert shared.get("name") == [1, 2]
    assert shared.add("number") == 1 and shared.add("number", 2.5) == 3.5


def test_change_sees_what_came_in_between(shared: Shared) -> None:
    seen = []

    def function(value: int) -> int:
        if not seen:
            shared.set("name", 10)
        seen.append(value)
        return value + 1

    assert shared.change("name", function, 0) == 11
    assert seen == [0, 10]


def test_what_is_no_plain_value(shared: Shared) -> None:
    shared.set("name", 1)
    for value in (Gfid(bytes(16)), object(), [object()], shared):
        with pytest.raises(ValueError):
            shared.set("name", value)
        with pytest.raises(ValueError):
            shared.change("name", lambda _, value=value: value)
    with pytest.raises(TypeError):
        shared.set(1, 1)  # type: ignore[arg-type]
    assert shared.get("name") == 1 and repr(shared) == f"Shared({shared.namespace!r})"


def test_threads(shared: Shared) -> None:
    """Nothing is lost, and what only one can get one gets."""
    got: list[int] = []

    def work() -> None:
        for i in range(200):
            shared.add("sum", i)
            if shared.pop(f"prize {i}") is not None:
                got.append(i)

    for i in range(200):
        shared.set(f"prize {i}", i)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shared.get("sum") == 8 * sum(range(200))
    assert sorted(got) == list(range(200))
