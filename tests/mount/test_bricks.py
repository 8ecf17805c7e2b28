"""Python on a brick: below protocol/server in a process of its own, with epoll threads, and clients by TCP."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import test_failures
import test_workout
import workout
import workout_cases
from support.attempts import attempt
from support.bricks import Brick
from support.mounts import Mount
from support.volfiles import Layer, layer

#: What a client says about its brick, and the brick about calls that fail on purpose.
CLIENT = (*test_workout.FAILURES, *test_failures.FUSE, r" 0-client: ", r"\[rpc-clnt", r"0-socket", r"\[socket\.c:")
SERVER = (r" 0-server: ", r" 0-brick: ", r" 0-locks: ")


@contextmanager
def volume(brick_side: list[Layer], client_side: list[Layer], *expected: str) -> Iterator[tuple[Brick, Mount]]:
    """A brick and a mount of it."""
    with (
        Brick(brick_side, expected=(*SERVER, *expected)) as brick,
        Mount(client_side, bottom=[brick.client], brick=brick.directory, expected=(*CLIENT, *expected)) as mount,
    ):
        yield brick, mount


#: Groups of cases. Of locks only fcntl's: the brick hears of an open file's end when it is over for the application, so
#: whether flock or OFD locks are gone by the next call is a matter of luck, with or without Python.
GROUPS = sorted({name.partition("-")[0] for name in workout_cases.CASES} - {"locks"} | {"locks-posix"})


@pytest.mark.long
@pytest.mark.parametrize("group", GROUPS)
def test_same_results(group: str) -> None:
    python = layer("python", "user/pass_all", how="looked_into")
    with volume([], []) as (_, plain), volume([python], [python]) as (_, both):
        differences = workout.run(plain.path, both.path, only=[f"{group}[-_]*"])
        assert not differences, "\n".join(str(difference) for difference in differences)


def test_who_asks() -> None:
    with volume([layer("below", "user/talks")], [layer("above", "user/talks")]) as (_, mount):
        (mount.path / "file").write_bytes(b"")
        above, below = (json.loads(os.getxattr(mount.path / "file", f"user.{name}.who")) for name in ("above", "below"))
        assert above[4] is None
        assert f"PID:{mount.pid}" in below[4]
        assert above[:3] == below[:3] and above[:2] == [0, 0]
        assert above[3] == below[3] == os.getpid()
        assert above[5] == below[5] == "getxattr"
        assert above[6] == below[6] == "/file"


#: Failures, with what the application gets of them.
FAILURES = {
    "valueerror": "EIO", "systemexit-later": "EIO", "recursion": "EIO", "recursion-later": "EIO", "deep-getattr": "EIO",
    "errno-512": "EIO", "edquot": "EDQUOT", "number": "EIO", "nothing": "EIO", "bare-yield": "EIO",
    "wind-of-another": "EIO", "field-of-wrong-type": "EIO",
}


def test_failures_on_the_brick() -> None:
    with volume([layer("fails", "user/fails")], [], test_failures.OURS, test_failures.NEVER) as (brick, mount):
        for how, expected in FAILURES.items():
            for fop, call in test_failures.CALLS.items():
                name = f"fail-{how}-in-{fop}"
                path = test_failures.prepare(mount, name, fop)
                assert attempt(mount, call, path) == expected, name
                assert bool(test_failures.said(brick, fop, name)) == (expected == "EIO"), name
        test_failures.serves(mount)
        assert brick.alive()


@pytest.mark.parametrize("how", ["empty-reply", "huge-op-ret", "odd-iatt", "odd-payload"])
@pytest.mark.parametrize("fop", test_failures.CALLS)
def test_senseless_reply(how: str, fop: str) -> None:
    with volume([layer("fails", "user/fails")], [], test_failures.OURS, r"\[inode\.c:") as (brick, mount):
        attempt(mount, test_failures.CALLS[fop], test_failures.prepare(mount, f"fail-{how}-in-{fop}", fop))
        test_failures.serves(mount)
        assert brick.alive()
