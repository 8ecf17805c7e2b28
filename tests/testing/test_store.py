"""self.store, in this process: its methods, from many at once, and names and values of every kind."""

from __future__ import annotations

import gc
import os
import sqlite3

import glupy
import pytest
from glupy import Store, Translator
from glupy.testing import translator


class Keeps(Translator):
    """Its store is used by the test."""


@pytest.fixture
def t():
    with translator(Keeps) as t:
        yield t


@pytest.fixture
def run(t):
    return t.run


def test_methods(t, run):
    store = t.translator.store
    assert run(store.get("a")) is None and run(store.get("a", 5)) == 5
    run(store.set("a", b"\0one"))
    run(store.set("a", bytearray(b"two")))
    assert run(store.get("a")) == b"two"
    assert run(store.delete("a")) is True and run(store.delete("a")) is False
    run(store.update({"a": b"1", "b": b"", "c": b"3"}))
    run(store.update({"a": None, "b": b"2", "never": None}))
    assert run(store.items()) == [("b", b"2"), ("c", b"3")]


def test_names(t, run):
    store = t.translator.store
    names = ["a", "a\0b", "ab", "b", "%", "_", "ünï", os.fsdecode(b"\xff"), os.fsdecode(b"\xff\xff"), "\U0010ffff", "n" * 10_000]
    run(store.update({name: name.encode("utf-8", "surrogateescape") for name in names}))
    assert {name for name, _ in run(store.items())} == {*names}
    for prefix in ("", *names):
        found = run(store.items(prefix))
        assert {name for name, _ in found} == {name for name in names if name.startswith(prefix)}, prefix
        assert found == sorted(found, key=lambda item: item[1])


@pytest.mark.parametrize("wrong", [lambda store: store.set("a", "text"), lambda store: store.set("a", 5),
                                   lambda store: store.get(5), lambda store: store.get(""), lambda store: store.set("", b"x"),
                                   lambda store: store.change("a", lambda old: "text")])
def test_what_cannot_be(t, run, wrong):
    with pytest.raises((TypeError, ValueError)):
        run(wrong(t.translator.store))
    assert run(t.translator.store.items()) == []


def test_update_is_all_or_nothing(t, run):
    with pytest.raises(TypeError):
        run(t.translator.store.update({"a": b"1", "b": 5}))
    assert run(t.translator.store.items()) == []


def test_change(t, run):
    store = t.translator.store

    def refuse(old):
        raise LookupError(old)

    assert run(store.change("a", lambda old: b"1" if old is None else b"2")) == b"1"
    assert run(store.change("a", lambda old: b"1" if old is None else b"2")) == b"2"
    with pytest.raises(LookupError):
        run(store.change("a", refuse))
    assert run(store.get("a")) == b"2"
    assert run(store.change("a", lambda old: None)) is None
    assert run(store.items()) == []


def test_many_at_once(t, run):
    store = t.translator.store

    def more(old):
        return str(int(old or b"0") + 1).encode()

    async def all_of_them():
        return await glupy.gather(*(store.change("count", more) for _ in range(200)))

    assert sorted(map(int, run(all_of_them()))) == [*range(1, 201)]


def test_two_stores_of_one_file(t, run, tmp_path):
    """As two processes or interpreters have it."""
    one, two = Store(lambda: tmp_path / "file.db"), Store(lambda: tmp_path / "file.db")

    async def both():
        await glupy.gather(*(each.set(f"{name}{number}", b"x") for name, each in (("one", one), ("two", two))
                             for number in range(50)))

    run(both())
    assert run(one.items()) == run(two.items()) and len(run(one.items())) == 100
    del one, two
    gc.collect()
    with sqlite3.connect(tmp_path / "file.db") as db:
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]


def test_each_of_its_own():
    with translator(Keeps) as one, translator(Keeps) as two:
        one.run(one.translator.store.set("a", b"one"))
        assert two.run(two.translator.store.get("a")) is None
