"""Issue 11, item 11: Xdata with as many keys as a peer cares to send: what reads or writes them all does so once.

Whoever looks each of so many keys up in GlusterFS's list does not come to an end here: it is 10,000,000,000 steps. With
sanitizers, for which each is five, a 25th."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from glupy import Xdata
from support import calls
from support.graph import Graph
from support.volfiles import layer

MANY = 20_000 if os.environ.get("GLUPY_SANITIZE") else 100_000
PLAIN = {f"key{number}": f"value{number}" for number in range(MANY)}


@pytest.fixture(scope="module")
def graph() -> Iterator[Graph]:
    with Graph([layer("sink", "glupytest/sink"), layer("script", "user/scripted")]) as graph:
        yield graph


def changed(xdata: Xdata) -> dict[str, Any]:
    xdata["another"] = 1
    assert xdata.pop("another") == 1 and "another" not in xdata
    return dict(xdata)


def stored_again(xdata: Xdata) -> dict[str, Any]:
    other = Xdata({"first": 1})
    other.update(xdata)
    assert other.pop("first") == 1
    return dict(other)


WAYS: dict[str, Callable[[Xdata], Any]] = {
    "dict": dict,
    "items": lambda xdata: dict(xdata.items()),
    "keys and values": lambda xdata: dict(zip(xdata.keys(), xdata.values())),
    "lookups": lambda xdata: {key: xdata[key] for key in xdata if key in xdata and xdata.get(key) and xdata.type(key)},
    "or": lambda xdata: dict(xdata | {}),
    "update": stored_again,
    "constructor": lambda xdata: dict(Xdata(dict(xdata))),
    "copy": lambda xdata: dict(xdata.copy()),
    "change": changed,
    "repr": lambda xdata: PLAIN if repr(xdata).count("'key") == MANY else None,
    "equal": lambda xdata: PLAIN if xdata == PLAIN else None,
}


@pytest.mark.parametrize("how", WAYS)
def test_xdata_with_many_keys_is_gone_through_once(graph: Graph, how: str) -> None:
    """What came with a request, in its method; what Python made."""
    found: list[Any] = []
    script = graph.translator("script")
    script.answer = lambda self, name, frame, loc, xdata: found.append(WAYS[how](xdata))
    loc = calls.loc_of(graph.probe.itable, "file")
    try:
        graph.run(graph.child.stat(loc, PLAIN))
    finally:
        script.answer = lambda *args: None
    assert found == [PLAIN]
    assert WAYS[how](Xdata(PLAIN)) == PLAIN


def test_what_a_child_puts_in_is_seen() -> None:
    """Others may change what they were given, in place: after an await all is looked up anew."""
    keys = {f"key{number}": number for number in range(1000)}
    found: list[Any] = []

    async def answer(self: Any, name: str, frame: Any, loc: Any, xdata: Any) -> Any:
        assert dict(xdata) == keys and "sink-was-here" not in xdata
        await self.child.stat(loc, xdata)
        found.append((xdata.get("sink-was-here"), dict(xdata)))
        xdata["mine"] = 1
        own = Xdata(xdata)
        del own["sink-was-here"]
        assert dict(own) == keys | {"mine": 1} and own.get("sink-was-here") is None
        reply = await self.child.stat(loc, own)
        found.append((own.get("sink-was-here"), dict(own)))
        return reply

    with Graph([layer("sink", "glupytest/sink", marks="on"), layer("asks", "user/scripted")]) as graph:
        graph.translator("asks").answer = answer
        loc = calls.loc_of(graph.probe.itable, "file")
        assert graph.run(graph.child.stat(loc, keys)).op_ret == 0
        del loc
    marked = keys | {"sink-was-here": "yes"}
    assert found == [("yes", marked), ("yes", marked | {"mine": 1})]


@pytest.mark.parametrize("first", [0, 31, 32, 33, 34, 100])
def test_changes_while_many_keys_are_looked_up(first: int) -> None:
    """Setting, replacing and removing, before and after there are many, agree with a dict's."""
    xdata, plain = Xdata(), {}
    for number in range(first + 200):
        key = f"key{number * 7919 % 150}"
        match number % 5:
            case 0 | 1 | 2:
                xdata[key] = plain[key] = number
            case 3:
                assert xdata.pop(key, None) == plain.pop(key, None)
            case 4:
                xdata.set(key, number, "uint32")
                plain[key] = number
        assert xdata.get(key) == plain.get(key) and (key in xdata) == (key in plain) and len(xdata) == len(plain)
        if number % 50 == first % 50:
            assert xdata == plain and dict(xdata) == plain and dict(xdata.items()) == plain
            copy = xdata.copy()
            copy["only there"] = 1
            assert "only there" not in xdata and dict(copy) == plain | {"only there": 1}
            assert xdata | {"more": 1} == plain | {"more": 1} and Xdata(plain) | xdata == plain
    while plain:
        key, value = xdata.popitem()
        assert plain.pop(key) == value
    assert not xdata and not len(xdata)
    with pytest.raises(KeyError):
        xdata.popitem()
