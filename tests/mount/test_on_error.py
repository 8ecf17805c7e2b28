"""Option on-error pass: what fails in Python is logged and goes on to the child, unless something was wound already."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import test_failures
from support.attempts import attempt
from support.mounts import Mount
from support.volfiles import layer

#: What the calls of test_failures give where nothing is in their way.
RESULTS = {"create": None, "open": None, "readv": b"content", "writev": 4, "readdirp": [], "getxattr": b"value",
           "unlink": None}

MISTAKES = {
    "valueerror-plainly": "ValueError: the value is wrong",
    "valueerror": "ValueError: the value is wrong",
    "systemexit": "SystemExit: 0",
    "recursion": "RecursionError: ",
    "no-errno": "OSError: without a number",
    "errno-512": "OSError: [Errno 512] the kernel's own",
    "asleep": "ValueError: after a sleep",
    "number-plainly": "returned 0",
    "number": "returned 0",
    "bad-repr": "returned a BadText",
    "reply-of-another": "was answered with a glupy._core.StatfsReply",
    "wind-of-another": "was answered with a wind of statfs",
    "bare-yield": "a fop cannot await 'something else'",
    "field-of-wrong-type": "expected ",
    "arguments-wrong": "TypeError: ",
}


@pytest.fixture(scope="module")
def passing() -> Iterator[Mount]:
    expected = (*test_failures.FUSE, test_failures.OURS, test_failures.NEVER)
    with Mount([layer("fails", "user/fails", on_error="pass")], expected=expected) as mount:
        yield mount


@pytest.mark.parametrize("how", MISTAKES)
def test_passes_on(passing: Mount, how: str) -> None:
    for fop, result in RESULTS.items():
        name = f"fail-{how}-in-{fop}"
        path = test_failures.prepare(passing, name, fop)
        assert attempt(passing, test_failures.CALLS[fop], path) == result
        brick = passing.brick / name
        assert brick.exists() == (fop != "unlink")
        assert fop != "writev" or brick.read_bytes() == b"data"
        entries = test_failures.said(passing, fop, name)
        assert entries and all(MISTAKES[how] in entry for entry in entries)
    name = f"fail-{how}-in-lookup"
    assert attempt(passing, os.stat, test_failures.prepare(passing, name, "lookup")).st_size == len(b"content")
    assert MISTAKES[how] in test_failures.said(passing, "lookup", name)[0]
    test_failures.serves(passing)


@pytest.mark.parametrize("how", ["valueerror-later", "nothing", "awaited-wind", "field-set-wrongly"])
@pytest.mark.parametrize("fop", test_failures.CALLS)
def test_not_twice(passing: Mount, how: str, fop: str) -> None:
    """Once something was wound, the operation may have been done: it is not done again."""
    name = f"fail-{how}-in-{fop}"
    path = test_failures.prepare(passing, name, fop)
    assert attempt(passing, test_failures.CALLS[fop], path) == "EIO"
    assert test_failures.said(passing, fop, name)
    if how != "valueerror-later":
        assert (passing.brick / name).exists() == (fop != "unlink")


@pytest.mark.parametrize(("how", "expected"), [("edquot", "EDQUOT"), ("permissionerror", "EPERM")])
@pytest.mark.parametrize("fop", test_failures.CALLS)
def test_oserror_is_an_answer(passing: Mount, how: str, expected: str, fop: str) -> None:
    name = f"fail-{how}-in-{fop}"
    path = test_failures.prepare(passing, name, fop)
    assert attempt(passing, test_failures.CALLS[fop], path) == expected
    assert not test_failures.said(passing, fop, name)
