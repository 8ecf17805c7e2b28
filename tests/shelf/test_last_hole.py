"""examples/last_hole.py: what rebalance is told of a file that ends with a hole, and nobody else. The case `shelf` of
tests/volume/cluster_cases.py has it in bricks that are balanced."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from glupy.testing import real_graph

pytestmark = pytest.mark.once

LAST_HOLE = Path(__file__).resolve().parents[2] / "examples/last_hole.py"
SEEK_DATA, SEEK_HOLE = 0, 1  # GF_SEEK_*, which are not the kernel's
REBALANCE, HEAL, USER = -3, -6, 4711
SIZE = 300_000


@pytest.fixture(params=[False, True], ids=["client", "brick"])
def t(request: pytest.FixtureRequest) -> Iterator[Any]:
    with real_graph(LAST_HOLE, brick=request.param) as graph:
        graph.write("/file", b"data" * 10_000)
        graph.truncate("/file", SIZE)
        yield graph


def found(t: Any, offset: int, what: int, pid: int) -> int:
    """What is found from there on; below 0 an error."""
    reply = t.run(t.child.seek(t.fd("/file"), offset, what).or_error(), pid=pid)
    return int(reply.offset) if reply.op_ret >= 0 else -int(reply.op_errno)


def test_rebalance_finds_the_end_of_data_and_no_more(t: Any) -> None:
    hole = found(t, 0, SEEK_HOLE, REBALANCE)
    assert 40_000 <= hole < SIZE and found(t, 100, SEEK_DATA, REBALANCE) == 100
    assert found(t, hole, SEEK_DATA, REBALANCE) == SIZE  # where DHT asks next
    for offset in (SIZE, SIZE + 1):
        assert found(t, offset, SEEK_DATA, REBALANCE) == found(t, offset, SEEK_HOLE, REBALANCE) == -errno.ENXIO


def test_others_are_told_what_there_is(t: Any) -> None:
    for pid in (USER, HEAL):
        hole = found(t, 0, SEEK_HOLE, pid)
        assert found(t, hole, SEEK_DATA, pid) == -errno.ENXIO
        assert found(t, hole, SEEK_HOLE, pid) == hole
