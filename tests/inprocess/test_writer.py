"""Writer: who waits for a record hears of it once, in whatever way it ends, and each record is in the file or is counted."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.reloads import HEAD, reloads
from support.tasks import Bench
from support.waiting import wait_until

import glupy
from glupy import Translator, Writer
from glupy.records import files

SAID = r"\d+ records are (not|missing) in "


class Recorded(Translator):
    output: ClassVar[Any]
    how: ClassVar[dict[str, Any]]

    def init(self) -> None:
        self.records: Writer[Any] = Writer(self, self.output, **self.how)


class Stuck:
    """An output that takes nothing until it is told to, and fails as it is told."""

    def __init__(self, *errors: int) -> None:
        self.taken: list[bytes] = []
        self.calls, self.closed = 0, 0
        self.inside, self.gate = threading.Event(), threading.Event()
        self.errors = list(errors)
        self.portion = 10**9

    def __str__(self) -> str:
        return "the output"

    def append(self, records: list[bytes]) -> int:
        self.calls += 1
        self.inside.set()
        self.gate.wait()
        if self.errors and (number := self.errors.pop(0)):
            raise OSError(number, os.strerror(number))
        self.taken += records[:self.portion]
        return len(records[:self.portion])

    def close(self) -> None:
        self.closed += 1


class Stand:
    """A translator at work, with its Writer, and coroutines in the background."""

    def __init__(self, stage: Any) -> None:
        self.stage = stage
        self.writer: Writer[Any] = stage.translator.records
        self.results: dict[Any, Any] = {}
        self.tasks: list[Any] = []

    def run(self, coroutine: Any) -> Any:
        return self.stage.run(coroutine)

    async def write(self, record: Any) -> None:
        try:
            self.results[record] = await self.writer.write(record)
        except (OSError, RuntimeError, TypeError) as error:
            self.results[record] = getattr(error, "errno", type(error))

    def begin(self, *records: Any) -> None:
        self.tasks += [self.stage.translator.spawn(self.write(record)) for record in records]

    def done(self) -> None:
        wait_until(lambda: all(task.done() for task in self.tasks), "all to be told")


@contextmanager
def standing(translator: Any, output: Any, expect: list[str] | None = None, **how: Any) -> Iterator[Stand]:
    Recorded.output, Recorded.how = output, how
    with translator(Recorded, expect=expect or []) as stage:
        stage.exists("/")  # children are up: what is spawned begins
        yield Stand(stage)


def test_a_record_is_there_when_it_was_written(translator: Any, tmp_path: Path) -> None:
    path = tmp_path / "log"
    with standing(translator, path) as stand:
        assert stand.run(stand.writer.write(b"one\n")) is True and path.read_bytes() == b"one\n"
        assert stand.writer.put(b"two\n") and stand.writer.put(bytearray(b"three\n"))
        stand.run(stand.writer.flush())
        assert path.read_bytes() == b"one\ntwo\nthree\n" and stand.writer.waiting == 0
        assert stand.writer.drain(10) and (stand.writer.written, stand.writer.dropped) == (3, 0)
        assert repr(stand.writer) == f"<Writer to {path}, 0 of 10000 wait>"
        stand.writer.put(b"four\n")
    assert path.read_bytes().endswith(b"four\n")  # its end has seen to that


def test_one_sync_for_a_group(translator: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, gate, synced = threading.Event(), threading.Event(), []

    class Disk:
        def fdatasync(self, file: int) -> None:
            begun.set()
            gate.wait()
            synced.append(os.fstat(file).st_size)

        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

    monkeypatch.setattr(files, "os", Disk())
    with standing(translator, tmp_path / "log", sync=True) as stand:
        stand.begin(b"first\n")
        begun.wait()
        stand.begin(*(b"%03d\n" % number for number in range(100)))
        wait_until(lambda: stand.writer.waiting == 100, "all to be in the queue")
        assert not stand.results
        gate.set()
        stand.done()
    assert synced == [6, 406] and set(stand.results.values()) == {True}


def test_a_failure_of_sync_is_everybodys(translator: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    class Disk:
        def fdatasync(self, file: int) -> None:
            tried.append(file)
            raise OSError(errno.EIO, "the disk is broken")

        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

    with standing(translator, tmp_path / "log", sync=True, retry=600, expect=[SAID]) as stand:
        with monkeypatch.context() as patch:
            patch.setattr(files, "os", Disk())
            with pytest.raises(OSError, match="the disk is broken"):
                stand.run(stand.writer.write(b"one\n"))
        assert len(tried) == 1  # the record may be there: it is not written again
        assert stand.run(stand.writer.write(b"two\n"))


def test_full_and_who_waits(translator: Any) -> None:
    output = Stuck()
    with standing(translator, output, limit=2) as stand:
        stand.begin(b"1")
        output.inside.wait()
        stand.begin(b"2")
        wait_until(lambda: stand.writer.waiting == 1, "the second")
        stand.begin(b"3")
        assert not stand.writer.put(b"none") and stand.writer.dropped == 1
        stand.begin(b"4")
        assert stand.tasks[2].cancel()
        output.gate.set()
        wait_until(lambda: stand.tasks[2].done(), "the cancelled one")
        stand.done()
        stand.writer.limit = 5
        assert stand.run(stand.writer.write(b"5"))
        assert stand.writer.limit == 5
        stand.stage.expect(SAID)
    assert sorted(output.taken) in ([b"1", b"2", b"4", b"5"], [b"1", b"2", b"3", b"4", b"5"])
    assert output.closed == 1


@pytest.mark.parametrize("full", ["drop", errno.ENOBUFS])
def test_full_and_who_does_not_wait(translator: Any, full: Any) -> None:
    output = Stuck()
    with standing(translator, output, limit=2, full=full, missing=lambda count: b"missing %d" % count) as stand:
        assert stand.writer.put(b"1")
        output.inside.wait()
        assert stand.writer.put(b"2")
        if full == "drop":
            assert not stand.writer.put(b"3") and not stand.run(stand.writer.write(b"4"))
            stand.stage.expect(SAID)
        else:
            with pytest.raises(OSError) as raised:
                stand.writer.put(b"3")
            with pytest.raises(OSError):
                stand.run(stand.writer.write(b"4"))
            assert raised.value.errno == full
        output.gate.set()
        assert stand.writer.drain(60) and stand.run(stand.writer.write(b"5"))
    assert output.taken == ([b"1", b"missing 2", b"2", b"5"] if full == "drop" else [b"1", b"2", b"5"])


def test_a_limit_that_gets_less(translator: Any) -> None:
    output = Stuck()
    with standing(translator, output, limit=3, full=errno.ENOBUFS) as stand:
        assert stand.writer.put(b"1")
        output.inside.wait()
        assert stand.writer.put(b"2")
        stand.writer.limit = 1
        with pytest.raises(OSError):
            stand.writer.put(b"none")
        output.gate.set()
        assert stand.writer.drain(60)
        output.gate.clear()
        output.inside.clear()
        assert stand.writer.put(b"3")
        output.inside.wait()
        with pytest.raises(OSError):
            stand.writer.put(b"none")
        stand.writer.limit = 2
        assert stand.writer.put(b"4")
        output.gate.set()
        with pytest.raises(ValueError, match="1 or more"):
            stand.writer.limit = 0
    assert output.taken == [b"1", b"2", b"3", b"4"]


def test_a_disk_that_fails_is_told_to_all_who_wait(translator: Any) -> None:
    output = Stuck(0, errno.ENOSPC)
    expect = [f"{SAID}the output: No space"]
    with standing(translator, output, expect, missing=lambda count: b"missing %d" % count) as stand:
        stand.writer.put(b"0")
        output.inside.wait()
        stand.begin(b"1", b"2", b"3")
        stand.writer.put(b"4")
        wait_until(lambda: stand.writer.waiting == 4, "all to be in the queue")
        output.gate.set()
        stand.done()
        assert stand.results == dict.fromkeys((b"1", b"2", b"3"), errno.ENOSPC)
        assert (stand.writer.written, stand.writer.dropped) == (1, 4)
        assert stand.run(stand.writer.write(b"5"))
    assert output.taken == [b"0", b"missing 4", b"5"]


def test_it_is_tried_again(translator: Any) -> None:
    output = Stuck(errno.ENOSPC, errno.EIO)
    output.gate.set()
    with standing(translator, output, retry=600) as stand:
        assert stand.run(stand.writer.write(b"1")) and output.calls == 3
        output.portion = 2
        stand.begin(*(b"%d" % number for number in range(2, 9)))
        stand.done()
        assert set(stand.results.values()) == {True} and stand.writer.dropped == 0
    assert sorted(output.taken) == [b"%d" % number for number in range(1, 9)]


class Known(Stuck):
    """One that notes on which threads it was called."""

    def __init__(self, *errors: int) -> None:
        super().__init__(*errors)
        self.gate.set()
        self.threads: list[str] = []

    def append(self, records: list[bytes]) -> int:
        self.threads.append("thread" if threading.current_thread().name == "writer" else "caller")
        return super().append(records)


def test_who_writes_appends(translator: Any) -> None:
    """With `direct`, but for the first one, after put(), and after a failure, which the thread tells and counts."""
    output = Known(0, 0, 0, 0, errno.ENOSPC, errno.ENOSPC)
    with standing(translator, output, direct=True, missing=lambda count: b"-%d" % count, called="lines",
                  expect=["1 lines are not in the output: No space left"]) as stand:
        def write(record: bytes) -> None:
            assert stand.writer.drain(10)
            stand.run(stand.writer.write(record))

        write(b"1")
        write(b"2")
        write(b"3")
        assert stand.writer.put(b"4")
        with pytest.raises(OSError):
            write(b"5")
        write(b"6")
        write(b"7")
        stand.writer.direct = False
        write(b"8")
        assert (stand.writer.written, stand.writer.dropped) == (7, 1)
    assert output.taken == [b"1", b"2", b"3", b"4", b"-1", b"6", b"7", b"8"]
    assert output.threads == ["thread", "caller", "caller", "thread", "caller", "thread", "thread", "thread", "caller", "thread"]


def test_one_at_a_time(translator: Any) -> None:
    """What comes while somebody writes himself waits for the thread, in order, and so does the end of all."""
    output = Stuck()
    output.gate.set()
    with standing(translator, output, direct=True) as stand:
        stand.run(stand.writer.write(b"1"))
        assert stand.writer.drain(10)
        output.inside.clear()
        output.gate.clear()
        stand.begin(b"2")
        output.inside.wait()
        assert stand.writer.waiting == 0 and not stand.writer.drain(0.01)
        stand.begin(b"3")
        wait_until(lambda: stand.writer.waiting == 1, "the next one to wait")
        assert stand.writer.put(b"4") and output.calls == 2
        output.gate.set()
        assert stand.writer.drain(10)
        stand.done()
    assert output.taken == [b"1", b"2", b"3", b"4"] and output.calls == 3


def test_what_cannot_be_encoded(translator: Any) -> None:
    output = Stuck()
    output.gate.set()
    expect = [SAID, "a record could not be written", "Traceback"]
    with standing(translator, output, expect=expect) as stand:
        stand.begin("text", b"bytes", 7)
        stand.done()
        assert stand.results == {"text": RuntimeError, b"bytes": True, 7: RuntimeError}
    assert output.taken == [b"bytes"]


def test_the_end_waits_for_nobody(translator: Any) -> None:
    """The disk hangs: who waits is told so, and a thread that comes back later finds nothing to do."""
    output = Stuck()
    with standing(translator, output, limit=2, expect=[SAID]) as stand:
        stand.begin(b"1")
        output.inside.wait()
        stand.begin(b"2", b"3")
        wait_until(lambda: stand.writer.waiting == 1, "the second")
        assert stand.writer.close(0.01) == 2
        stand.done()
        assert stand.results == dict.fromkeys((b"1", b"2", b"3"), errno.ESHUTDOWN)
        assert not stand.writer.put(b"4") and stand.writer.dropped == 3
        with pytest.raises(OSError):
            stand.run(stand.writer.write(b"5"))
        output.gate.set()
        wait_until(lambda: output.closed == 1, "the thread to end")
        assert stand.writer.dropped == 3 and stand.writer.written == 0


def test_outputs_change(translator: Any, tmp_path: Path) -> None:
    first, second = Stuck(), Stuck()
    first.gate.set()
    second.gate.set()
    with standing(translator, first) as stand:
        stand.run(stand.writer.write(b"1"))
        stand.writer.output = second
        stand.run(stand.writer.write(b"2"))
        assert (first.closed, second.closed) == (1, 0) and stand.writer.output is second
        stand.writer.output = tmp_path / "log"
        stand.run(stand.writer.write(b"3"))
    assert (first.taken, second.taken, (tmp_path / "log").read_bytes()) == ([b"1"], [b"2"], b"3")
    assert second.closed == 1


@pytest.mark.parametrize(("how", "text"), [
    ({"limit": 0}, "limit of 1 or more"), ({"full": "block"}, "'wait', 'drop' or an errno"), ({"retry": -1}, "0 or more"),
    ({"direct": True, "sync": True}, "not with sync"),
])
def test_what_it_is_not_made_with(translator: Any, tmp_path: Path, how: dict[str, Any], text: str) -> None:
    Recorded.output, Recorded.how = tmp_path / "log", how
    with pytest.raises(glupy.LoadError, match=text), translator(Recorded):
        pass


PROGRAM = st.lists(st.tuples(st.sampled_from(("write", "cancel", "put")), st.integers(0, 3)), min_size=1, max_size=30)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(program=PROGRAM, errors=st.lists(st.sampled_from((0, 0, errno.ENOSPC, errno.EIO)), max_size=20),
       portion=st.integers(1, 5), full=st.sampled_from(("wait", "drop", errno.ENOBUFS)), limit=st.integers(1, 4),
       direct=st.booleans())
def test_each_is_settled_once(chaos: Bench, program: list[tuple[str, int]], errors: list[int], portion: int, full: Any,
                              limit: int, direct: bool) -> None:
    """Whatever fails, is cancelled or full, and from several threads: who hears that a record is written finds it."""
    output = Stuck(*errors)
    output.portion = portion
    output.gate.set()
    writer: Writer[bytes] = Writer(chaos.tasks, output, limit=limit, full=full, report=10**6, direct=direct)
    results: dict[bytes, Any] = {}
    put: dict[bytes, bool] = {}

    async def write(record: bytes) -> None:
        try:
            results[record] = await writer.write(record)
        except OSError as error:
            results[record] = error.errno

    async def flush() -> None:
        await writer.flush()

    def work(worker: int) -> None:
        for number, (what, _) in [(n, step) for n, step in enumerate(program) if step[1] == worker]:
            record = b"%d" % number
            if what == "put":
                try:
                    put[record] = writer.put(record)
                except OSError:
                    put[record] = False
            else:
                tasks[record] = chaos.spawn(write(record))
                if what == "cancel":
                    tasks[record].cancel()

    tasks: dict[bytes, Any] = {}
    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = chaos.spawn(flush())
    wait_until(lambda: last.done() and all(task.done() for task in tasks.values()), "all to be told")
    writer.close(60)
    chaos.tasks._glupy_writers.remove(writer)
    cancelled = {record for record in tasks if record not in results}
    assert {record for record, result in results.items() if result is True} <= set(output.taken)
    assert not {record for record, result in results.items() if result is not True} & set(output.taken)
    assert set(output.taken) <= set(tasks) | {record for record, taken in put.items() if taken}
    assert len(set(output.taken)) == len(output.taken) == writer.written and output.closed == 1
    assert all(dict(enumerate(program))[int(record)][0] == "cancel" for record in cancelled)
    assert writer.waiting == 0


@pytest.fixture(scope="module")
def chaos() -> Iterator[Bench]:
    with Bench("writing") as bench:
        bench.graph.expected = (*bench.graph.expected, SAID)
        yield bench


# Another version of the translator

JOURNAL = """
from glupy import Writer

class Journal(Translator):
    def init(self):
        stage.last = self
        self.records = Writer(self, stage.path)

    def reloaded(self, old):
        HANDED

    async def getxattr(self, frame, loc, name, xdata):
        await self.records.write(b"VERSION\\n")
        return GetxattrReply({"user.version": b"VERSION"})
"""


@pytest.mark.parametrize("handed", ["pass", "self.records = old.records"])
def test_another_version(trusted: Path, tmp_path: Path, handed: str) -> None:
    source = HEAD + "stage.path = " + repr(str(tmp_path / "log")) + JOURNAL.replace("HANDED", handed)
    with reloads(trusted, source.replace("VERSION", "one")) as one:
        assert one.ask() == b"one"
        old = one.stage.last
        for version in ("two", "three"):
            one.reload(source.replace("VERSION", version))
            assert one.ask() == version.encode()
        assert (old.records is one.stage.last.records) == (handed != "pass")
        wait_until(lambda: not old._glupy_writers, "the old version's end")
        assert one.ask() == b"three"
        assert one.report()["records"] == {"written": 4, "dropped": 0}
    assert (tmp_path / "log").read_bytes() == b"one\ntwo\nthree\nthree\n"
