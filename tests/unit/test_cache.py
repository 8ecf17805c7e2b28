"""glupy.Cache: as many values as are allowed, the latest ones, each for a while."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections import OrderedDict

import glupy
import pytest
from glupy import Cache
from hypothesis import given
from hypothesis import strategies as st


def test_like_a_dict() -> None:
    cache: Cache[str, int] = Cache(10)
    cache["one"] = 1
    cache.set("two", 2)
    assert cache["one"] == cache.get("one") == 1 and cache.get("two") == 2 and len(cache) == 2
    assert "one" in cache and "three" not in cache and cache.get("three") is None and cache.get("three", 3) == 3
    assert cache.pop("one") == 1 and cache.pop("one") is None and cache.pop("one", 0) == 0
    del cache["two"]
    for mistake in (lambda: cache["two"], lambda: cache.__delitem__("two")):
        with pytest.raises(KeyError, match="two"):
            mistake()
    cache["one"] = 1
    cache["one"] = 5
    assert cache["one"] == 5 and repr(cache) == "<Cache of 1 entries, at most 10>"
    cache.clear()
    assert len(cache) == 0 and "one" not in cache


def test_what_was_used_last_stays() -> None:
    cache: Cache[int, int] = Cache(3)
    for number in range(3):
        cache[number] = number
    assert cache.get(0) == 0
    assert 1 in cache  # which is no use of it
    cache[3] = 3
    assert [number in cache for number in range(4)] == [True, False, True, True]
    assert cache.evicted == 1
    cache.limit = 1
    assert [number in cache for number in range(4)] == [False, False, False, True] and cache.limit == 1


def test_counts() -> None:
    cache: Cache[str, str] = Cache(2)
    cache["a"] = "b"
    assert cache.get("a") and not cache.get("b") and cache["a"]
    assert (cache.hits, cache.misses, cache.evicted) == (2, 1, 0)


def test_timeouts() -> None:
    cache: Cache[str, int] = Cache(10, timeout=0.05)
    cache["short"] = 1
    cache.set("long", 2, timeout=100)
    cache.set("ever", 3, timeout=None)
    assert cache.get("short") == 1
    time.sleep(0.06)
    assert len(cache) == 3 and "short" not in cache and len(cache) == 2
    assert cache["long"] == 2 and cache["ever"] == 3
    cache.timeout = None
    assert cache.timeout is None
    cache["late"] = 1
    cache.timeout = 0.001
    time.sleep(0.01)
    assert cache["late"] == 1


@pytest.mark.parametrize(("make", "error", "says"), [
    (lambda: Cache(0), ValueError, "limit: expected 1 or more entries, not 0"),
    (lambda: Cache(1 << 70), ValueError, "limit: expected 1 or more"),
    (lambda: Cache("x"), TypeError, "limit: expected how many entries are kept, not 'x'"),
    (lambda: Cache(1, 0), ValueError, "timeout: expected more than 0 and at most 1e9 seconds, or None, not 0"),
    (lambda: Cache(1, float("nan")), ValueError, "timeout: expected more than 0"),
    (lambda: Cache(1, "x"), TypeError, "timeout: expected seconds or None, not 'x'"),
    (lambda: Cache(1).get(), TypeError, r"get\(\) takes a key"),
    (lambda: Cache(1).pop(1, 2, 3), TypeError, r"pop\(\) takes a key"),
    (lambda: Cache(1).get([]), TypeError, "unhashable"),
    (lambda: Cache(1).set([], 1), TypeError, "unhashable"),
    (lambda: Cache(1).set(1, 1, timeout=-1), ValueError, "timeout"),
])
def test_mistakes(make, error, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error, match=says):
        make()


@given(st.integers(1, 5), st.lists(st.tuples(st.sampled_from(["get", "set", "pop", "in", "limit"]), st.integers(0, 7))))
def test_against_an_ordered_dict(limit: int, steps: list[tuple[str, int]]) -> None:
    cache: Cache[int, int] = Cache(limit)
    model: OrderedDict[int, int] = OrderedDict()
    for at, (step, key) in enumerate(steps):
        if step == "get":
            assert cache.get(key) == model.get(key)
            if key in model:
                model.move_to_end(key)
        elif step == "set":
            cache[key] = model[key] = at
            model.move_to_end(key)
        elif step == "pop":
            assert cache.pop(key) == model.pop(key, None)
        elif step == "in":
            assert (key in cache) == (key in model)
        else:
            limit = cache.limit = key + 1
        while len(model) > limit:
            model.popitem(last=False)
        assert len(cache) == len(model)
    assert {key: cache.get(key) for key in range(8) if key in cache} == dict(model)


class Value:
    """Something that can be watched as it goes."""


def test_what_is_dropped_is_let_go() -> None:
    cache: Cache[int, Value] = Cache(1)
    values = [Value() for _ in range(4)]
    ends = [weakref.ref(value) for value in values]
    cache[0] = values.pop(0)
    cache[0] = values.pop(0)
    assert ends[0]() is None
    cache[1] = values.pop(0)
    assert ends[1]() is None
    cache.pop(1)
    assert ends[2]() is None
    cache[2] = values.pop(0)
    cache.clear()
    assert ends[3]() is None


def test_cycles_are_collected() -> None:
    class Holder:
        cache: Cache[str, Holder]

    holder, end = Holder(), None
    holder.cache = Cache(5)
    holder.cache["self"] = holder
    end = weakref.ref(holder)
    del holder
    gc.collect()
    assert end() is None


class Meddles:
    """A key whose comparison changes the cache that looks it up."""

    def __init__(self, cache: Cache[Meddles, int]) -> None:
        self.cache, self.busy = cache, False

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        if not self.busy:
            self.busy = True
            self.cache.clear()
            for number in range(5):
                self.cache[Meddles(self.cache)] = number
            self.busy = False
        return self is other


def test_keys_that_change_the_cache() -> None:
    cache: Cache[Meddles, int] = Cache(3)
    keys = [Meddles(cache) for _ in range(4)]
    for turn in range(30):
        for key in keys:
            cache[key] = turn
            cache.get(key)
            key in cache  # noqa: B015
            cache.pop(key)
            assert 0 <= len(cache) <= 3


class Broken:
    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        raise ZeroDivisionError


def test_keys_that_cannot_be_compared() -> None:
    cache: Cache[Broken, int] = Cache(1)
    cache[Broken()] = 1
    for use in (cache.get, cache.pop, cache.__contains__, cache.__getitem__, cache.__delitem__):
        with pytest.raises(ZeroDivisionError):
            use(Broken())
    with pytest.raises(ZeroDivisionError):
        cache[Broken()] = 2
    assert len(cache) <= 1


class Returns:
    """A value that comes back as it is let go."""

    def __init__(self, cache: Cache[int, object]) -> None:
        self.cache = cache

    def __del__(self) -> None:
        self.cache[0] = "back"


def test_a_value_whose_end_changes_the_cache() -> None:
    cache: Cache[int, object] = Cache(2)
    for key in (0, 1, 2, 3):
        cache[key] = Returns(cache)
    cache.clear()
    assert len(cache) <= 2 and cache.get(0) == "back"


def test_many_threads() -> None:
    cache: Cache[int, int] = Cache(50, timeout=0.002)

    def use(seed: int) -> None:
        for turn in range(3000):
            key = (turn * 7 + seed) % 80
            if cache.get(key, key) != key:
                raise AssertionError
            cache[key] = key
            if turn % 3 == 0:
                cache.pop((key + 1) % 80)

    threads = [threading.Thread(target=use, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache) <= 50 and cache.hits + cache.misses == 8 * 3000


def test_it_cannot_be_subclassed() -> None:
    with pytest.raises(TypeError):
        type("Other", (glupy.Cache,), {})
