"""Time that the test moves: what sleeps goes on when the test says so, and never by itself."""

from __future__ import annotations

import time
from time import monotonic

import glupy
import pytest
from glupy import Translator
from glupy.testing import Failed, translator

HOUR = 3600


class Sleeps(Translator):
    """readlink takes an hour; a minute is counted every minute; times are noted."""

    def init(self):
        self.minutes, self.came = [], []
        self.every(60, self.minute)

    def minute(self):
        self.minutes.append(time.monotonic())

    async def readlink(self, frame, loc, size, xdata):
        before = time.monotonic(), monotonic(), time.time(), time.time_ns()
        await glupy.sleep(HOUR)
        self.came.append([after - start for start, after in zip(before, (time.monotonic(), monotonic(), time.time(), time.time_ns()))])
        return await self.child.readlink(loc, size, xdata)


@pytest.fixture
def t():
    with translator(Sleeps) as t:
        t.symlink("there", "/link")
        yield t


def test_a_sleep_is_over_when_the_time_has_come(t):
    reading = t.start(t.readlink, "/link")
    t.clock.wait(2)
    assert t.clock.sleeping == [60, HOUR] and not reading.done
    t.clock.advance(HOUR - 1)
    assert not reading.done and t.clock.sleeping[0] == 1 and t.translator.came == []
    t.clock.advance(1)
    assert reading.result() == "there" and t.clock.now == HOUR
    (passed,) = t.translator.came
    assert passed == [pytest.approx(HOUR)] * 3 + [HOUR * 10**9]


def test_every(t):
    began = time.monotonic()
    t.clock.advance(59)
    assert t.translator.minutes == []
    t.clock.advance(241)
    assert [minute - began for minute in t.translator.minutes] == [pytest.approx(60.0 * count) for count in range(1, 6)]


def test_what_wakes_another(t):
    """Sleeps that begin while the time is moved end in it, too."""
    async def twice():
        for _ in range(2):
            await glupy.sleep(20)
        return t.clock.now

    running = t.start(t.run, twice())
    t.clock.wait(2)
    t.clock.advance(50)
    assert running.result() == 40


def test_a_call_that_need_not_wait(t):
    t.clock.jump()
    assert t.readlink("/link") == "there"
    (passed,) = t.translator.came
    assert passed[0] == pytest.approx(HOUR) and t.clock.now >= HOUR
    minutes = t.clock.now // 60  # every() goes on until the test knows that its call is back
    assert len(t.translator.minutes) in (minutes - 1, minutes)


def test_the_real_time_goes_on_elsewhere():
    real = time.monotonic_ns
    with translator(Sleeps):
        assert time.monotonic_ns is not real  # this module has the class, and sees its time
        here = time.time()
        assert time.time() == here
    assert time.monotonic_ns is real and time.time() > here - 60


def test_files_have_the_tests_time(t):
    t.write("/one", b"")
    one = t.stat("/one").st_mtime
    t.clock.advance(100)
    t.write("/one", b"more")
    assert t.stat("/one").st_mtime - one == pytest.approx(100, abs=0.01)


def test_what_is_wrong(t):
    with pytest.raises(ValueError, match="0 seconds or more"):
        t.clock.advance(-1)


def test_no_answer_says_that_it_sleeps():
    with translator(Sleeps, patience=0.3) as t:
        t.symlink("there", "/link")
        with pytest.raises(TimeoutError, match="no answer after 0.3 s; 2 coroutines sleep, and time stands still"):
            t.readlink("/link")
        t.clock.advance(HOUR)


def test_a_call_that_sleeps_at_the_end():
    t = translator(Sleeps).__enter__()
    t.symlink("there", "/link")
    reading = t.start(t.readlink, "/link")
    t.clock.wait(2)
    with pytest.raises(Failed, match="request left inside: .*readlink.* sleeps, and the test has not moved the time"):
        t.__exit__(None, None, None)
    assert reading.done


def test_two_at_a_time():
    """The time is the process's, as long as one of them lasts; afterwards it is real again."""
    with translator(Sleeps) as one:
        with translator(Sleeps) as two:
            one.clock.advance(60)
            assert len(one.translator.minutes) == len(two.translator.minutes) == 1
        one.clock.advance(60)
        assert len(one.translator.minutes) == 2


class Waits(Translator):
    async def readlink(self, frame, loc, size, xdata):
        await self.itable_ready()
        return await self.child.readlink(loc, size, xdata)


def test_what_is_not_the_authors_time():
    with translator(Waits) as t:
        t.symlink("there", "/link")
        assert t.readlink("/link") == "there"
