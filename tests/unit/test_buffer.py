"""Buffer: the bytes of reads and writes."""

from __future__ import annotations

import ctypes
import gc
import io
import mmap
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glupy import Buffer, ReadvReply

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


def address(buffer: Buffer) -> int:
    with memoryview(buffer) as view:
        return pointer(view)


@pytest.mark.parametrize("size", [1, 4096, 128 * 1024, 128 * 1024 + 1, 2 * 1024 * 1024])
def test_allocated(size: int) -> None:
    for _ in range(3):  # memory that was used before is cleared as well
        buffer = Buffer.allocate(size)
        assert len(buffer) == size and not buffer.readonly
        assert buffer == bytes(size)
        assert address(buffer) % mmap.PAGESIZE == 0
        with memoryview(buffer) as view:
            view[:] = b"\xa5" * size
        assert buffer == b"\xa5" * size
        del buffer


def test_allocated_is_filled_by_the_system(tmp_path: Any) -> None:
    (tmp_path / "file").write_bytes(b"content")
    buffer = Buffer.allocate(100)
    with open(tmp_path / "file", "rb") as file:
        assert file.readinto(buffer) == 7
        assert os.preadv(file.fileno(), [buffer], 3) == 4
    assert buffer.part(0, 7) == b"tentent"


def test_allocated_sizes() -> None:
    assert Buffer.allocate(0) == b"" and Buffer.allocate(0).readonly
    with pytest.raises(ValueError, match="0 or more"):
        Buffer.allocate(-1)
    with pytest.raises(OverflowError):
        Buffer.allocate(1 << 80)
    with pytest.raises(TypeError):
        Buffer.allocate("1")


def test_handed_on_it_is_read_only() -> None:
    buffer = Buffer.allocate(3)
    reply = ReadvReply(vector=buffer)
    assert buffer.readonly and memoryview(buffer).readonly and reply.vector == bytes(3)
    with pytest.raises(TypeError):
        memoryview(buffer)[0] = 1


def test_not_handed_on_while_it_can_be_written_to() -> None:
    buffer = Buffer.allocate(3)
    view = memoryview(buffer)[1:]
    with pytest.raises(BufferError, match="release the view"):
        ReadvReply(vector=buffer)
    with pytest.raises(BufferError):
        buffer.part()
    view[0] = 7
    view.release()
    gc.collect()
    assert ReadvReply(vector=buffer).vector == b"\0\7\0"
    kept = memoryview(buffer)  # a reader keeps nobody from handing it on
    assert ReadvReply(vector=buffer).vector == kept


@given(st.binary(max_size=40), st.integers(-50, 50) | st.none(), st.integers(-50, 50) | st.none())
def test_part(data: bytes, start: int | None, stop: int | None) -> None:
    buffer = Buffer(data)
    part = buffer.part(start, stop)
    assert part == data[start:stop]
    assert part.part(1) == data[start:stop][1:]
    del buffer
    assert part == data[start:stop]


def test_part_shares_the_memory() -> None:
    buffer = Buffer(b"0123456789")
    part = buffer.part(3, 5)
    with memoryview(buffer) as whole, memoryview(part) as few:
        assert bytes(whole[3:5]) == bytes(few)
        assert pointer(few) == pointer(whole) + 3


def pointer(view: memoryview) -> int:
    """Where a read-only view's memory is."""
    holder = ctypes.create_string_buffer(200)
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(view), holder, 0)
    where = ctypes.c_void_p.from_buffer(holder).value
    ctypes.pythonapi.PyBuffer_Release(holder)
    assert where is not None
    return where
