"""Xdata: dict_t as a mutable mapping."""

from __future__ import annotations

import copy
import uuid
from collections.abc import MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from glupy import Gfid, Iatt, Mdata, Xdata

GFID = uuid.UUID("01234567-89ab-cdef-0123-456789abcdef")
INT_TYPES = [
    *((f"int{bits}", -(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)),
    *((f"uint{bits}", 0, 2**bits - 1) for bits in (8, 16, 32, 64)),
]

text = st.text().map(lambda value: value.replace("\0", ""))
keys = text.filter(bool)
values = st.one_of(
    text,
    st.binary(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False),
)


@pytest.mark.parametrize(
    "value",
    ["", "text", "ä\udcff", b"", b"\0\xff", 0, -1, 2**63 - 1, -(2**63), 2**63, 2**64 - 1, 0.0, 1e-300, 1.1, float("inf")],
)
def test_value_comes_back_as_it_went_in(value: Any) -> None:
    read = Xdata(key=value)["key"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("value", [bytearray(b"ab"), memoryview(b"ab")])
def test_bytes_like_values_become_bytes(value: Any) -> None:
    assert Xdata(key=value)["key"] == b"ab"


def test_bool_becomes_int() -> None:
    assert Xdata(key=True)["key"] == 1


def test_uuid_becomes_gfid() -> None:
    read = Xdata(key=GFID)["key"]
    assert isinstance(read, Gfid)
    assert Xdata(key=read)["key"] == read


def test_iatt_is_copied() -> None:
    iatt = Iatt(ia_size=5)
    xdata = Xdata(key=iatt)
    iatt.ia_size = 6
    assert xdata["key"].ia_size == 5


@pytest.mark.parametrize("value", [None, [], {}, object(), 1j])
def test_other_types_are_refused_by_key(value: Any) -> None:
    with pytest.raises(TypeError, match="some.key"):
        Xdata({"some.key": value})


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1])
def test_integers_have_64_bits(value: int) -> None:
    with pytest.raises(OverflowError, match="key"):
        Xdata(key=value)


def test_text_has_no_nul() -> None:
    with pytest.raises(ValueError):
        Xdata(key="a\0b")


def test_values_are_limited_to_one_mebibyte() -> None:
    assert len(Xdata(key=bytes(2**20))["key"]) == 2**20
    with pytest.raises(ValueError, match="key"):
        Xdata(key=bytes(2**20 + 1))


@pytest.mark.parametrize("key", ["", "a\0b", b"", b"a\0"])
def test_bad_keys_are_value_errors(key: Any) -> None:
    with pytest.raises(ValueError):
        Xdata()[key] = 1


@pytest.mark.parametrize("key", [1, None, ("a",)])
def test_keys_are_text(key: Any) -> None:
    with pytest.raises(TypeError):
        Xdata()[key] = 1


def test_bytes_and_str_are_the_same_key() -> None:
    xdata = Xdata({b"key\xff": 1})
    assert list(xdata) == ["key\udcff"]
    assert xdata["key\udcff"] == xdata[b"key\xff"] == 1


@pytest.mark.parametrize(("name", "low", "high"), INT_TYPES)
def test_set_checks_the_width(name: str, low: int, high: int) -> None:
    xdata = Xdata()
    for value in (low, high):
        xdata.set("key", value, name)
        assert xdata["key"] == value
    for value in (low - 1, high + 1):
        with pytest.raises(OverflowError, match=name):
            xdata.set("key", value, name)


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [("str", b"ab", "ab"), ("bytes", bytearray(b"ab"), b"ab"), ("double", 3, 3.0), ("iatt", Iatt(), Iatt())],
)
def test_set_stores_the_type_asked_for(name: str, value: Any, read: Any) -> None:
    xdata = Xdata()
    xdata.set("key", value, name)
    assert xdata["key"] == read
    assert type(xdata["key"]) is type(read)


def test_set_takes_every_form_of_gfid() -> None:
    xdata = Xdata()
    for value in (GFID, GFID.bytes, str(GFID)):
        xdata.set("key", value, "gfid")
        assert xdata["key"] == Xdata(key=GFID)["key"]


@pytest.mark.parametrize(("value", "name"), [("a", "int32"), (1, "iatt"), (1, "str"), ("a", "bytes"), ("a", "double")])
def test_set_refuses_other_types(value: Any, name: str) -> None:
    with pytest.raises(TypeError):
        Xdata().set("key", value, name)


@pytest.mark.parametrize("name", ["", "int9", "u", "uuint8", "float", "ptr", "pointer"])
def test_set_knows_its_types(name: str) -> None:
    with pytest.raises(ValueError, match="type"):
        Xdata().set("key", 1, name)


def test_missing_keys() -> None:
    xdata = Xdata(a=1)
    for operation in (xdata.__getitem__, xdata.__delitem__, xdata.pop):
        with pytest.raises(KeyError) as caught:
            operation("missing")
        assert caught.value.args == ("missing",)
    assert xdata.get("missing") is None
    assert xdata.get("missing", 2) == 2
    assert xdata.pop("missing", 2) == 2


def test_it_is_a_mutable_mapping() -> None:
    xdata = Xdata({"a": 1}, b=2)
    assert isinstance(xdata, MutableMapping)
    assert xdata.keys() == {"a", "b"}
    assert sorted(xdata.values()) == [1, 2]
    assert set(xdata.items()) == {("a", 1), ("b", 2)}
    assert xdata.setdefault("a", 9) == 1
    assert xdata.setdefault("c", 9) == 9
    assert xdata.pop("c") == 9
    assert dict([xdata.popitem(), xdata.popitem()]) == {"a": 1, "b": 2}
    with pytest.raises(KeyError):
        xdata.popitem()


def test_it_matches_mapping_patterns() -> None:
    match Xdata(a=1, b=2):
        case {"a": value}:
            assert value == 1
        case _:
            pytest.fail("no match")


def test_update_takes_what_dict_takes() -> None:
    xdata = Xdata()
    xdata.update({"a": 1})
    xdata.update([("b", 2)], c=3)
    xdata.update(Xdata(d=4))
    assert xdata == {"a": 1, "b": 2, "c": 3, "d": 4}


def test_truth_and_length() -> None:
    xdata = Xdata()
    assert not xdata
    assert len(xdata) == 0
    xdata["a"] = 1
    assert xdata
    assert len(xdata) == 1
    xdata.clear()
    assert not xdata
    assert list(xdata) == []


def test_comparison() -> None:
    assert Xdata(a=1) == Xdata(a=1) == {"a": 1}
    assert {"a": 1} == Xdata(a=1)
    assert Xdata(a=1) != Xdata(a=2)
    assert Xdata() != 5
    assert Xdata() != []
    with pytest.raises(TypeError):
        hash(Xdata())


def test_repr() -> None:
    assert repr(Xdata(a=1)) == "Xdata({'a': 1})"


@pytest.mark.parametrize("duplicate", [Xdata.copy, copy.copy, Xdata])
def test_copies_are_independent(duplicate: Any) -> None:
    first = Xdata(a=1)
    second = duplicate(first)
    second["a"] = 2
    first["b"] = 3
    assert first == {"a": 1, "b": 3}
    assert second == {"a": 2}


def test_changes_during_iteration() -> None:
    xdata = Xdata({str(number): number for number in range(100)})
    for key in xdata:
        del xdata[key]
    assert not xdata


def test_conversion_may_change_the_same_object() -> None:
    xdata = Xdata(a=1)

    class Sly:
        def __index__(self) -> int:
            xdata.copy()
            xdata.clear()
            return 7

    xdata.set("b", Sly(), "int32")  # type: ignore[arg-type]
    assert xdata == {"b": 7}


@given(st.dictionaries(keys, values))
def test_any_dict_comes_back(model: dict[str, Any]) -> None:
    xdata = Xdata(model)
    assert dict(xdata) == model
    assert xdata == model
    assert len(xdata) == len(model)


class XdataModel(RuleBasedStateMachine):
    """An Xdata and its copies against plain dicts."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[Any, dict[str, Any]]] = [(Xdata(), {})]

    some_key = st.sampled_from(["a", "b", "trusted.glusterfs.x", "ä"])
    which = st.integers(0, 5)

    def pair(self, which: int) -> tuple[Any, dict[str, Any]]:
        return self.pairs[which % len(self.pairs)]

    @rule(which=which, key=some_key, value=values)
    def assign(self, which: int, key: str, value: Any) -> None:
        xdata, model = self.pair(which)
        xdata[key] = model[key] = value

    @rule(which=which, key=some_key)
    def pop(self, which: int, key: str) -> None:
        xdata, model = self.pair(which)
        assert xdata.pop(key, None) == model.pop(key, None)

    @rule(which=which)
    def copy(self, which: int) -> None:
        xdata, model = self.pair(which)
        self.pairs.append((xdata.copy(), dict(model)))

    @rule(which=which)
    def clear(self, which: int) -> None:
        xdata, model = self.pair(which)
        xdata.clear()
        model.clear()

    @rule(which=which, other=which)
    def update(self, which: int, other: int) -> None:
        xdata, model = self.pair(which)
        more, more_model = self.pair(other)
        xdata.update(more)
        model.update(more_model)

    @invariant()
    def same(self) -> None:
        for xdata, model in self.pairs:
            assert dict(xdata) == model
            assert len(xdata) == len(model)


TestXdataModel = XdataModel.TestCase


TYPED = [
    ("int8", -1, "int"), ("int64", -2**63, "int"), ("int", 5, "int"), ("uint8", 255, "uint"),
    ("uint", 2**64 - 1, "uint"), ("uint64", 1, "uint"), ("str", "text", "str"), ("bytes", b"\0bytes", "bytes"),
    ("double", 0.1, "double"),
    ("gfid", Gfid.root(), "gfid"), ("iatt", Iatt(ia_size=3), "iatt"),
    ("mdata", Mdata(ia_mtime=4, ia_mtime_nsec=5), "mdata"),
]


@pytest.mark.parametrize(("name", "value", "type"), TYPED)
def test_every_type(name: str, value: Any, type: str) -> None:
    xdata = Xdata()
    xdata.set("key", value, name)
    assert xdata["key"] == value
    assert xdata.get_as("key", name) == value
    assert xdata.type("key") == type


def test_type_of_plain_values() -> None:
    xdata = Xdata(a="x", b=1, c=2**63, d=1.0, e=b"x", f=Gfid(), g=Iatt(), h=Mdata())
    assert [xdata.type(key) for key in "abcdefgh"] == ["str", "int", "uint", "double", "bytes", "gfid", "iatt", "mdata"]
    with pytest.raises(KeyError):
        xdata.type("z")


def test_get_as_another_type() -> None:
    """What an extended attribute holds comes as bytes, whatever was meant."""
    gfid = Gfid.random()
    xdata = Xdata({
        "number": b"-17\0", "gfid": bytes(gfid), "text": b"text\0", "double": b"0.5", "empty": b"", "long": b"300",
    })
    assert xdata.get_as("number", "int32") == -17
    assert xdata.get_as("gfid", "gfid") == gfid
    assert xdata.get_as("text", "str") == "text"
    assert xdata.get_as("double", "double") == 0.5
    assert xdata.get_as("number", "bytes") == b"-17\0"
    assert xdata.get_as("missing", "int8") is None
    assert xdata.get_as("missing", "int8", 3) == 3
    for key, name in (("number", "uint"), ("text", "int"), ("number", "gfid"), ("empty", "int"), ("number", "mdata"),
                      ("text", "double")):
        with pytest.raises(ValueError, match=f"'{key}' cannot be read as {name}"):
            xdata.get_as(key, name)
    with pytest.raises(OverflowError, match="does not fit int8"):
        xdata.get_as("long", "int8")
    with pytest.raises(ValueError, match="unknown xdata type"):
        xdata.get_as("long", "int9")


def test_pointers_are_refused() -> None:
    with pytest.raises(ValueError, match="an address means nothing to others"):
        Xdata().set("key", 1, "ptr")


def test_union() -> None:
    left, right = Xdata(a=1, b=2), Xdata(b=3, c=4)
    assert left | right == {"a": 1, "b": 3, "c": 4}
    assert left | {"a": "x"} == {"a": "x", "b": 2}
    assert {"a": "x", "d": 5} | left == {"a": 1, "b": 2, "d": 5}
    assert (left, right) == ({"a": 1, "b": 2}, {"b": 3, "c": 4})
    assert type({} | left) is Xdata
    same = left
    left |= right
    assert same is left and left == {"a": 1, "b": 3, "c": 4}
    with pytest.raises(TypeError):
        left | [("a", 1)]
    with pytest.raises(TypeError):
        left | {1: 2}


def test_types_survive() -> None:
    source = Xdata()
    for name, value, _ in TYPED:
        source.set(name, value, name)
    other = Xdata()
    other.update(source, more=1)
    copies = source.copy(), copy.deepcopy(source), Xdata(source), Xdata(source, a=1)
    for xdata in (*copies, source | {}, {} | source, other):
        assert [xdata.type(name) for name, _, _ in TYPED] == [type for _, _, type in TYPED]
        xdata["str"] = "changed"
    assert source["str"] == "text"
    source.update(source)
    assert len(source) == len(TYPED)
