"""Buffer: the bytes of reads and writes."""

from __future__ import annotations

import gc
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glupy import Buffer

SIZES = [0, 1, 4096, 128 * 1024, 128 * 1024 + 1, 2 * 1024 * 1024]


@pytest.mark.parametrize("size", SIZES)
def test_bytes_come_back(size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    buffer = Buffer(data)
    assert len(buffer) == size
    assert bytes(buffer) == data
    assert memoryview(buffer) == data
    assert buffer == data


@pytest.mark.parametrize("data", [bytearray(b"abc"), memoryview(b"abc"), memoryview(b"a-b-c")[::2], Buffer(b"abc")])
def test_made_of_anything_bytes_like(data: Any) -> None:
    assert Buffer(data) == b"abc"


def test_made_of_pieces() -> None:
    assert Buffer([b"ab", b"", bytearray(b"c"), Buffer(b"d")]) == b"abcd"
    assert Buffer(piece for piece in (b"ab", b"cd")) == b"abcd"
    assert Buffer([]) == b""


@pytest.mark.parametrize("data", ["text", ["text"], 5, [5], [b"a", None]])
def test_nothing_else_is_taken(data: Any) -> None:
    with pytest.raises(TypeError):
        Buffer(data)


def test_it_is_a_copy() -> None:
    data = bytearray(b"abc")
    buffer = Buffer(data)
    data[0] = 0
    data.append(0)
    assert buffer == b"abc"


def test_empty() -> None:
    buffer = Buffer()
    assert not buffer
    assert bytes(buffer) == b""
    assert memoryview(buffer).nbytes == 0
    assert buffer.chunks == []
    assert buffer == Buffer(b"")
    with pytest.raises(IndexError):
        buffer[0]


@pytest.mark.parametrize("index", [-4, 3, 2**70])
def test_index_out_of_range(index: int) -> None:
    with pytest.raises(IndexError):
        Buffer(b"abc")[index]


@given(st.binary(max_size=50), st.slices(50))
def test_slices_are_those_of_bytes(data: bytes, part: slice) -> None:
    read = Buffer(data)[part]
    assert read == data[part]
    assert type(read) is bytes


@given(st.binary(min_size=1, max_size=50), st.integers(0, 49))
def test_items_are_those_of_bytes(data: bytes, index: int) -> None:
    index %= len(data)
    assert Buffer(data)[index] == data[index]
    assert Buffer(data)[index - len(data)] == data[index]


def test_comparison() -> None:
    assert Buffer(b"a") == Buffer(b"a") == b"a"
    assert b"a" == Buffer(b"a")
    assert Buffer(b"a") != b"b"
    assert Buffer(b"a") != b"ab"
    assert Buffer(b"a") != "a"
    with pytest.raises(TypeError):
        hash(Buffer())


def test_views_are_read_only() -> None:
    view = memoryview(Buffer(b"abc"))
    assert view.readonly
    with pytest.raises(TypeError):
        view[0] = 1
    with pytest.raises(TypeError):
        io.BytesIO(b"xyz").readinto(Buffer(b"abc"))  # type: ignore[arg-type]


def test_views_keep_the_memory() -> None:
    views = [memoryview(Buffer(bytes([number]) * 200_000)) for number in range(20)]
    chunks = [Buffer(bytes([number]) * 200_000).chunks[0] for number in range(20)]
    gc.collect()
    for number in range(20):
        assert views[number] == chunks[number] == bytes([number]) * 200_000


def test_it_goes_where_bytes_go() -> None:
    stream = io.BytesIO()
    stream.write(Buffer(b"abc"))
    assert stream.getvalue() == b"abc"
    assert b"-".join([Buffer(b"a"), b"b"]) == b"a-b"
    assert int.from_bytes(Buffer(b"\1\0"), "big") == 256
