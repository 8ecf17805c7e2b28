"""Dirents and Dirent: what readdir and readdirp answer with."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glupy import Dirent, Dirents, Iatt, IaType, Xdata

index = st.one_of(st.none(), st.integers(-8, 8))


def dirents(*names: str) -> Any:
    return Dirents(Dirent(name) for name in names)


def names(entries: Any) -> list[str]:
    return [entry.d_name for entry in entries]


def test_defaults() -> None:
    entry = Dirent("name")
    assert (entry.d_name, entry.d_len, entry.d_ino, entry.d_off, entry.d_type) == ("name", 4, 0, 0, 0)
    assert entry.d_stat == Iatt()
    assert entry.inode is None
    assert entry.dict is None


def test_fields() -> None:
    entry = Dirent("a", d_ino=2**64 - 1, d_off=2**63, d_type=4, d_stat=Iatt(ia_size=5), dict={"k": 1})
    assert (entry.d_ino, entry.d_off, entry.d_type) == (2**64 - 1, 2**63, 4)
    assert entry.d_stat.ia_size == 5
    assert entry.dict == Xdata(k=1)


def test_only_the_name_is_positional() -> None:
    with pytest.raises(TypeError):
        Dirent("a", 1)  # type: ignore[misc]
    with pytest.raises(TypeError):
        Dirent()  # type: ignore[call-arg]


def test_d_len_is_the_length_in_bytes() -> None:
    entry = Dirent("ä\udcff")
    assert entry.d_name == "ä\udcff"
    assert entry.d_len == 3
    with pytest.raises(AttributeError):
        entry.d_len = 5  # type: ignore[misc]


def test_renaming_keeps_the_rest() -> None:
    entry = Dirent("a", d_ino=1, d_off=2, d_type=3, d_stat=Iatt(ia_size=5), dict={"k": 1})
    entry.d_stat.ia_size = 6
    entry.d_name = "longer name"
    assert (entry.d_name, entry.d_len, entry.d_ino, entry.d_off, entry.d_type) == ("longer name", 11, 1, 2, 3)
    assert entry.d_stat.ia_size == 6
    assert entry.dict == {"k": 1}


def test_parts_change_in_place() -> None:
    entry = Dirent("a", dict={"k": 1})
    entry.d_stat.ia_size = 7
    entry.dict["l"] = 2
    assert entry.d_stat.ia_size == 7
    assert entry.dict == {"k": 1, "l": 2}
    entry.d_stat = None
    entry.dict = None
    assert entry.d_stat == Iatt()
    assert entry.dict is None


@pytest.mark.parametrize("name", ["", b"", "a\0b"])
def test_bad_names(name: Any) -> None:
    with pytest.raises(ValueError):
        Dirent(name)


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("d_name", 5, TypeError),
        ("d_ino", -1, OverflowError),
        ("d_ino", 2**64, OverflowError),
        ("d_off", "1", TypeError),
        ("d_type", 2**32, OverflowError),
        ("d_stat", 5, TypeError),
        ("inode", 5, TypeError),
        ("dict", 5, TypeError),
    ],
)
def test_bad_fields_change_nothing(field: str, value: Any, error: type[Exception]) -> None:
    entry = Dirent("a")
    before = getattr(entry, field)
    with pytest.raises(error):
        setattr(entry, field, value)
    assert getattr(entry, field) == before
    with pytest.raises(AttributeError):
        delattr(entry, field)
    if field != "d_name":
        with pytest.raises(error):
            Dirent("a", **{field: value})


def test_it_is_a_mutable_sequence() -> None:
    entries = dirents("a", "b", "c")
    assert isinstance(entries, MutableSequence)
    assert len(entries) == 3
    assert entries[0].d_name == "a"
    assert entries[-1].d_name == "c"
    assert names(entries[1:]) == ["b", "c"]
    assert names(reversed(entries)) == ["c", "b", "a"]
    entries[1] = Dirent("B")
    del entries[0]
    entries.append(Dirent("d"))
    entries.insert(0, Dirent("first"))
    entries.extend([Dirent("e")])
    entries += [Dirent("f")]
    assert names(entries) == ["first", "B", "c", "d", "e", "f"]
    assert entries.pop().d_name == "f"
    assert entries.pop(0).d_name == "first"
    entries.reverse()
    assert names(entries) == ["e", "d", "c", "B"]
    entries.clear()
    assert not entries
    with pytest.raises(IndexError):
        entries.pop()


def test_filtering_in_place() -> None:
    entries = dirents(".", "a", ".hidden", "b")
    entries[:] = [entry for entry in entries if not entry.d_name.startswith(".")]
    assert names(entries) == ["a", "b"]


def test_entries_are_found_by_name_or_identity() -> None:
    entries = dirents("a", "b", "a")
    second = entries[1]
    assert "a" in entries
    assert b"a" in entries
    assert second in entries
    assert "c" not in entries
    assert Dirent("a") not in entries
    assert 5 not in entries
    assert entries.index("b") == entries.index(second) == 1
    assert entries.count("a") == 2
    entries.remove("a")
    entries.remove(second)
    assert names(entries) == ["a"]
    for operation in (entries.index, entries.remove):
        with pytest.raises(ValueError):
            operation("b")


@pytest.mark.parametrize("value", [None, "a", 5, [None]])
def test_only_dirents_go_in(value: Any) -> None:
    entries = dirents("a")
    operations = [
        lambda: entries.append(value),
        lambda: entries.insert(0, value),
        lambda: entries.extend([value]),
        lambda: entries.__setitem__(0, value),
        lambda: entries.__setitem__(slice(0, 1), [value]),
        lambda: Dirents([value]),
    ]
    for operation in operations:
        with pytest.raises(TypeError):
            operation()
    assert names(entries) == ["a"]


def test_the_same_entry_may_be_there_twice() -> None:
    entry = Dirent("a")
    entries = Dirents([entry, entry])
    entry.d_name = "b"
    assert names(entries) == ["b", "b"]


def test_it_matches_sequence_patterns() -> None:
    match dirents("a", "b"):
        case [first, second]:
            assert (first.d_name, second.d_name) == ("a", "b")
        case _:
            pytest.fail("no match")


@given(st.lists(st.sampled_from("abcdef"), max_size=6), index, index, st.lists(st.sampled_from("xyz"), max_size=3))
def test_slices_are_those_of_lists(start: list[str], low: int | None, high: int | None, new: list[str]) -> None:
    entries, model = dirents(*start), list(start)
    assert names(entries[low:high]) == model[low:high]
    entries[low:high] = [Dirent(name) for name in new]
    model[low:high] = new
    assert names(entries) == model
    del entries[low:high]
    del model[low:high]
    assert names(entries) == model


def test_what_follows_from_attributes() -> None:
    stat = Iatt(ia_ino=77, mode=0o040755)
    entry = Dirent("dir", d_off=3, d_stat=stat)
    assert (entry.d_ino, entry.d_type, entry.d_off) == (77, IaType.IFDIR.d_type, 3)
    entry = Dirent("dir", d_stat=stat, d_ino=5, d_type=0)
    assert (entry.d_ino, entry.d_type) == (5, 0)
    assert (Dirent("none").d_ino, Dirent("none").d_type) == (0, 0)


def test_filtering_in_place() -> None:
    entries = Dirents(Dirent(name) for name in ("a", ".b", "c", ".d"))
    entries[:] = [entry for entry in entries if not entry.d_name.startswith(".")]
    assert [entry.d_name for entry in entries] == ["a", "c"]
    del entries[:]
    assert not entries
