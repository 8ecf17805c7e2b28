"""Failure is an answer: whatever a translator does wrong, the application gets an errno at once, the log says what went
wrong where, and the mount lives on."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.attempts import attempt
from support.bricks import Brick
from support.mounts import Mount
from support.volfiles import layer
from support.waiting import wait_until

#: What GlusterFS itself says about calls that fail.
FUSE = (r"\[fuse-bridge\.c:", r"\[fuse-resolve\.c:", r" 0-fuse: ",
        r" 0-brick: buf->ia_gfid is null for \S+/brick/")  # made on the brick
NEVER = r"RuntimeWarning: \w+ was never wound to locks: "
OURS = r"0-fails: fails: \w+ of '[^']*' (failed\n|is answered with )"


def read(path: Path) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read(100)


def write(path: Path) -> int:
    with open(path, "wb", buffering=0) as file:
        return file.write(b"data")


def create(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))


def open_(path: Path) -> None:
    os.close(os.open(path, os.O_RDONLY))


def getxattr(path: Path) -> bytes:
    return os.getxattr(path, "user.test")


#: By fop: the call that leads to it.
CALLS: dict[str, Callable[[Path], Any]] = {
    "lookup": os.stat, "create": create, "open": open_, "readv": read, "writev": write, "readdirp": os.listdir,
    "getxattr": getxattr, "unlink": os.unlink,
}


def prepare(mount: Mount, name: str, fop: str) -> Path:
    """The file or directory that the call is made on, made on the brick so that no fop is needed."""
    brick = mount.brick / name
    if fop == "readdirp":
        brick.mkdir()
    elif fop != "create":
        brick.write_bytes(b"content")
        os.setxattr(brick, "user.test", b"value")
    return mount.path / name


@pytest.fixture(scope="module")
def shared() -> Iterator[Mount]:
    with Mount([layer("fails", "user/fails")], expected=(*FUSE, OURS, NEVER)) as mount:
        yield mount


def serves(mount: Mount) -> None:
    """The mount does its work still."""
    path = mount.path / "witness"
    assert attempt(mount, path.write_bytes, b"well") == 4
    assert attempt(mount, path.read_bytes) == b"well"
    assert attempt(mount, os.stat, path).st_size == 4
    assert "witness" in attempt(mount, os.listdir, mount.path)
    assert attempt(mount, os.unlink, path) is None
    assert mount.alive()


def said(mount: Mount | Brick, fop: str, path: str) -> list[str]:
    """What the log has about the failure of this fop on this path."""
    head = f" 0-fails: fails: {fop} of '/{path}' failed\n"
    return [text for _, text in mount.entries() if head in text and not text.startswith("The message")]


#: By exception: the errno, and what the log says; None: nothing, since an OSError is an answer like any other.
EXCEPTIONS: dict[str, tuple[str, str | None]] = {
    "valueerror": ("EIO", "ValueError: the value is wrong"),
    "assertion": ("EIO", "AssertionError"),
    "stopiteration": ("EIO", "StopIteration"),
    "stopasynciteration": ("EIO", "StopAsyncIteration"),
    "systemexit": ("EIO", "SystemExit: 0"),
    "keyboardinterrupt": ("EIO", "KeyboardInterrupt"),
    "generatorexit": ("EIO", "GeneratorExit"),
    "own-base": ("EIO", "OwnBase: from the very base"),
    "bad-text": ("EIO", "BadText"),
    "worse-text": ("EIO", "WorseText"),
    "huge-text": ("EIO", "xxxx"),
    "odd-text": ("EIO", "ValueError: nul "),
    "group": ("EIO", "ExceptionGroup: two at once (2 sub-exceptions)"),
    "base-group": ("EIO", "BaseExceptionGroup: two at once (2 sub-exceptions)"),
    "with-cause": ("EIO", "ValueError: hen"),
    "with-notes": ("EIO", "a note of the author's"),
    "with-odd-notes": ("EIO", "ValueError: with odd notes"),
    "recursion": ("EIO", "RecursionError: maximum recursion depth exceeded"),
    "deep-repr": ("EIO", "RecursionError: "),  # of depth or, from Python 3.14 on, of the stack's end
    "deep-getattr": ("EIO", "RecursionError: "),
    "no-memory": ("EIO", "MemoryError"),
    "no-errno": ("EIO", "OSError: without a number"),
    "errno-0": ("EIO", "OSError: [Errno 0] no error"),
    "errno-negative": ("EIO", "OSError: [Errno -5] negative"),
    "errno-512": ("EIO", "OSError: [Errno 512] the kernel's own"),
    "errno-huge": ("EIO", "OSError: [Errno 1099511627776] huge"),
    "errno-text": ("EIO", "OSError: [Errno five] not a number"),
    "errno-raises": ("EIO", "BadErrno"),
    "attributes-raise": ("EIO", "BadAttributes"),
    "edquot": ("EDQUOT", None),
    "enospc-with-odd-xdata": ("EDQUOT", None),
    "permissionerror": ("EPERM", None),
    "timeouterror": ("ETIMEDOUT", None),
}

#: What a coroutine makes of its own: Python turns these exceptions into a RuntimeError.
RENAMED = {
    "stopiteration": "RuntimeError: coroutine raised StopIteration",
    "stopasynciteration": "StopAsyncIteration",
}


#: Too deep for the traceback to show where it began, or without any.
WITHOUT_PLACE = ("deep-repr", "deep-getattr", "recursion", "attributes-raise")


def check(mount: Mount, how: str, fop: str, expected: str, sentence: str | None) -> None:
    name = f"fail-{how}-in-{fop}"
    path = prepare(mount, name, fop)
    assert attempt(mount, CALLS[fop], path) == expected
    entries = said(mount, fop, name)
    if sentence is None:
        assert not entries
        return
    # FUSE looks names up twice; the kernel reads again what it failed to read ahead.
    assert 1 <= len(entries) <= (2 if fop in ("lookup", "readv") else 1), entries
    for entry in entries:
        assert sentence in entry
        assert len(entry) < 70_000


@pytest.mark.parametrize("how", EXCEPTIONS)
def test_exception(shared: Mount, how: str) -> None:
    expected, sentence = EXCEPTIONS[how]
    for fop in CALLS:
        for way in ("-plainly", "", "-later"):
            wanted = RENAMED.get(how, sentence) if way != "-plainly" else sentence
            check(shared, how + way, fop, expected, wanted)
            if sentence and how not in WITHOUT_PLACE:
                entry = said(shared, fop, f"fail-{how}{way}-in-{fop}")[0]
                method = {"-plainly": "plainly", "": "awaited", "-later": "later"}[way]
                assert re.search(rf'File "[^"]*/fails\.py", line \d+, in {method}\n', entry), entry
    serves(shared)


#: By what is wrong: what the log says about it; the answer is EIO. FOP and REPLY stand for fop and reply type.
WRONG = {
    "asleep": "ValueError: after a sleep",
    "number-plainly": "TypeError: FOP returned 0: expected a reply, a wind, glupy.fail(errno), or OSError raised",
    "number": "TypeError: FOP returned 0: expected a reply, a wind, glupy.fail(errno), or OSError raised",
    "nothing": "TypeError: FOP returned None after its work: return the reply, or raise OSError",
    "bad-repr": "TypeError: FOP returned a BadText that has no repr(): expected a reply",
    "bad-repr-awaited": "TypeError: a fop cannot await a BadText that has no repr(): await winds",
    "long-repr": "TypeError: FOP returned [0, 1, 2",
    "reply-of-another": "TypeError: FOP was answered with a glupy._core.StatfsReply",
    "wind-of-another": "TypeError: FOP was answered with a wind of statfs: await it and build the reply",
    "awaited-wind": "TypeError: FOP was answered with a wind of FOP that has been awaited before",
    "type-of-reply": "TypeError: FOP returned <class 'glupy._core.REPLY'>: expected a reply",
    "coroutine-within": "TypeError: FOP returned <coroutine object coroutine_within.<locals>.within",
    "generator": "TypeError: FOP returned <generator object",
    "ended-coroutine": "RuntimeError: cannot reuse already awaited coroutine",
    "asyncio-sleep": "RuntimeError: no running event loop",
    "asyncio-yield": "TypeError: a fop cannot await None: await winds (self.child.",
    "bare-yield": "TypeError: a fop cannot await 'something else'",
    "stubborn-yield": "RuntimeError: three times refused",
    "await-raises": "ZeroDivisionError",
    "await-number": "TypeError: __await__() returned non-iterator of type 'int'",
    "await-numbers": "TypeError: a fop cannot await 1",
    "returns-await-raises": "ZeroDivisionError",
    "returns-await-number": "'int' object",
    "returns-await-numbers": "TypeError: a fop cannot await 1",
    "gather-number": "TypeError: ",
    "run-inside": "RuntimeError: run() would block the thread that GlusterFS lent us: await instead",
    "field-of-wrong-type": "TypeError: FIELD: expected ",
    "field-set-wrongly": "TypeError: xdata: expected ",
    "field-unknown": "TypeError: glupy._core.REPLY has no field 'colour'",
    "fields-too-many": "fields, 12 given",
    "op-ret-negative": "ValueError: op_ret: a reply is a success; raise OSError for an error",
    "arguments-wrong": "TypeError: FOP(): ",
    "arguments-missing": "TypeError: FOP() lacks its argument ",
}


@pytest.mark.parametrize("how", WRONG)
def test_wrong_answer(shared: Mount, how: str) -> None:
    for fop in CALLS:
        sentence = WRONG[how].replace("FOP", fop).replace("REPLY", f"{fop.title()}Reply")
        sentence = sentence.replace("FIELD", FIRST_FIELD[fop])
        check(shared, how, fop, "EIO", sentence)
    serves(shared)


#: The first field of each reply.
FIRST_FIELD = {
    "lookup": "inode", "create": "fd", "open": "fd", "readv": "vector", "writev": "prebuf", "readdirp": "entries",
    "getxattr": "dict", "unlink": "preparent",
}


@pytest.mark.parametrize("how", ["empty-reply", "huge-op-ret", "odd-iatt", "odd-payload"])
@pytest.mark.parametrize("fop", CALLS)
def test_senseless_reply(how: str, fop: str) -> None:
    """Of the right type, but without sense: GlusterFS or the kernel make of it what they can, and no more."""
    with Mount([layer("fails", "user/fails")], expected=(*FUSE, OURS, r"\[inode\.c:", r" 0-brick: ")) as mount:
        name = f"fail-{how}-in-{fop}"
        result = attempt(mount, CALLS[fop], prepare(mount, name, fop))
        if how == "empty-reply" and fop in ("lookup", "create"):
            assert result == "EIO"
            assert f"ValueError: {fop} was answered with a buf that has no ia_gfid" in said(mount, fop, name)[0]
        serves(mount)


REUSED = "RuntimeError: cannot reuse already awaited coroutine"
TWICE = "RuntimeError: this await is being awaited already"

#: By what another request does to a coroutine that waits: what that request gets.
BEHIND: dict[str, tuple[Any, str | None]] = {
    "closes-victim": (b"value", None),
    "throws-into-victim": ("EIO", "ValueError: thrown by another"),
    "sends-to-victim": ("EIO", TWICE),
    "returns-victim": ("EIO", TWICE),
}


@pytest.mark.parametrize("how", BEHIND)
@pytest.mark.parametrize("fop", CALLS)
def test_behind_our_back(shared: Mount, how: str, fop: str) -> None:
    """A coroutine that waits is ended by another request: both are answered."""
    # In a folder of its own: while the kernel waits for an unlink, nothing else in its folder goes on.
    folder = f"{how}-{fop}"
    (shared.brick / folder).mkdir()
    waits = prepare(shared, f"{folder}/fail-victim-in-{fop}", fop)
    others = [prepare(shared, f"fail-{name}-in-getxattr", "getxattr")
              for name in ("unless-victim-waits", how, "let-victim-go")]
    with ThreadPoolExecutor(1) as pool:
        victim = pool.submit(attempt, shared, CALLS[fop], waits)
        wait_until(lambda: attempt(shared, getxattr, others[0]) == b"value", "the coroutine to wait")
        expected, sentence = BEHIND[how]
        before = len(said(shared, "getxattr", others[1].name))
        assert attempt(shared, getxattr, others[1]) == expected
        assert all(sentence in text for text in said(shared, "getxattr", others[1].name)[before:])
        assert attempt(shared, getxattr, others[2]) == b"value"
        assert victim.result() == "EIO"
    entry = said(shared, fop, waits.relative_to(shared.path))[0]
    assert REUSED in entry
    serves(shared)


@pytest.mark.parametrize("fop", CALLS)
def test_thread_that_goes_on(shared: Mount, fop: str) -> None:
    """A thread of the author's uses what the method was given long after the answer."""
    path = prepare(shared, f"fail-thread-goes-on-in-{fop}", fop)
    assert attempt(shared, CALLS[fop], path) not in ("EIO", "ENOTCONN")
    attempt(shared, os.stat, shared.path / "let-threads-go")
    wait_until(lambda: f"thread of {fop}: the frame: " in shared.text(), "the thread")
    if fop in ("open", "getxattr"):
        wait_until(lambda: f"thread of {fop}: size 7" in shared.text(), "the thread's own wind")
    serves(shared)
