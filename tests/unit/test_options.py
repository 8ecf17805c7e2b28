"""Option declarations, and how values are read from the text of a volfile."""

from __future__ import annotations

from pathlib import Path

import pytest

from glupy import Option, OptionError
from glupy.options import common, option, values


@pytest.mark.parametrize("read, text, value", [
    (values.integer, "42", 42), (values.integer, "-1", -1), (values.integer, "+7", 7), (values.integer, " 7", 7),
    (values.integer, "0x2A", 42), (values.integer, "010", 8), (values.integer, "0", 0),
    (values.integer, str(2**63 - 1), 2**63 - 1),
    (values.number, "0.5", 0.5), (values.number, "-3", -3.0), (values.number, "1e3", 1000.0),
    (values.number, ".5", 0.5),
    (values.boolean, "on", True), (values.boolean, "Enable", True), (values.boolean, "1", True),
    (values.boolean, "OFF", False), (values.boolean, "disable", False), (values.boolean, "no", False),
    (values.size, "4096", 4096), (values.size, "64KB", 65536), (values.size, "64kb", 65536),
    (values.size, "1.5MB", 1572864),
    (values.size, "2GB", 2**31), (values.size, "1TB", 2**40), (values.size, "1PB", 2**50), (values.size, "12B", 12),
    (values.time, "90", 90), (values.time, "90s", 90), (values.time, "90sec", 90), (values.time, "5m", 300),
    (values.time, "5min", 300), (values.time, "2h", 7200), (values.time, "2hr", 7200), (values.time, "1d", 86400),
    (values.time, "1days", 86400), (values.time, "1w", 604800), (values.time, "1wk", 604800), (values.time, "0x10", 16),
    (values.percent, "25", 25.0), (values.percent, "12.5%", 12.5), (values.percent, "100%", 100.0),
    (values.path, "/var/tmp", Path("/var/tmp")),
])
def test_reads_what_glusterfs_reads(read, text, value):
    assert read(text) == value
    assert type(read(text)) is type(value) or isinstance(value, Path)


@pytest.mark.parametrize("read, texts", [
    (values.integer, ["", "abc", "1.5", "12x", "1 ", "0x", "08", "--1", str(2**63), "1e3", "\u0661"]),
    (values.number, ["", "abc", "nan", "inf", "1e999", "1,5"]),
    (values.boolean, ["", "2", "y", "enabled", " on"]),
    (values.size, ["", "-1", "1K", "1MiB", "KB", "8192PB", "1.2.3", "nan"]),
    (values.time, ["", "-1", "1year", "1day", "1.5h", "5M"]),
    (values.percent, ["", "101", "-1", "5%%", "x"]),
    (values.path, ["", "relative", "/a/../b"]),
])
def test_refuses_what_glusterfs_refuses(read, texts):
    for text in texts:
        with pytest.raises(ValueError, match="expected"):
            read(text)


class Declared:
    limit = Option(int, default=10, min=1, max=100, help="how many")
    max_age = Option("time", default="1min")
    cache = Option("size", default="64MB", max="1GB")
    mode = Option(str, default="fast", choices=("fast", "Safe"))
    folder = Option(Path, default=None)


def read(**texts):
    named = {key.replace("_", "-"): text for key, text in texts.items()}
    return option.read(option.declared(Declared), named, "Declared")


def test_defaults():
    assert read() == {"limit": 10, "max_age": 60, "cache": 64 << 20, "mode": "fast", "folder": None}


def test_values():
    got = read(limit="100", max_age="2h", cache="1GB", mode="SAFE", folder="/srv")
    assert got == {"limit": 100, "max_age": 7200, "cache": 1 << 30, "mode": "Safe", "folder": Path("/srv")}


def test_underscore_and_hyphen_name_the_same_option():
    assert option.read(option.declared(Declared), {"max_age": "5"}, "Declared")["max_age"] == 5
    with pytest.raises(OptionError, match="max-age is given twice"):
        option.read(option.declared(Declared), {"max_age": "5", "max-age": "6"}, "Declared")


@pytest.mark.parametrize("texts, sentence", [
    ({"limit": "abc"}, 'option limit is "abc": expected a whole number such as 42, -1 or 0x2a'),
    ({"limit": "0"}, 'option limit is "0": must be at least 1 and at most 100'),
    ({"limit": "101"}, 'option limit is "101": must be at least 1 and at most 100'),
    ({"cache": "2GB"}, f'option cache is "2GB": must be at most {1 << 30}'),
    ({"mode": "slow"}, 'option mode is "slow": must be one of fast, Safe'),
])
def test_bad_values_name_option_value_and_what_would_do(texts, sentence):
    with pytest.raises(OptionError) as caught:
        read(**texts)
    assert str(caught.value) == sentence


def test_unknown_option_names_the_near_one_and_all():
    with pytest.raises(OptionError, match=r"option limmit is not declared by Declared; did you mean limit\? "
                                          r"It has limit \(int, default 10\), max-age"):
        read(limmit="3")


def test_option_without_default_is_required():
    class Needs:
        target = Option(str, help="where to")

    with pytest.raises(OptionError, match=r"option target is missing: Needs needs it \(where to\)"):
        option.read(option.declared(Needs), {}, "Needs")
    with pytest.raises(AttributeError, match="option target has no value yet"):
        Needs().target


def test_subclass_overrides_and_removes():
    class Derived(Declared):
        limit = Option(int, default=20)
        mode = None

    assert option.declared(Derived)["limit"].default == 20
    assert "mode" not in option.declared(Derived)


def test_declarations_are_checked():
    with pytest.raises(TypeError, match='expected one of int, float, bool, str, Path, "size", "time", "percent"'):
        Option(complex, default=1j)
    with pytest.raises(ValueError, match="must be at least 1"):
        Option(int, default=0, min=1)
    with pytest.raises(ValueError, match="expected a size"):
        Option("size", default="many")


def test_reads_by_attribute():
    instance = Declared()
    assert instance.limit == 10
    vars(instance).update(read(limit="50"))
    assert instance.limit == 50
    assert isinstance(Declared.limit, Option)


def test_common_options():
    values, rest = common.split(
        {"module": "x", "on-error": "PASS", "enabled": "off", "log-level": "debug", "limit": "3"})
    assert rest == {"limit": "3"}
    assert values == common.Common(module="x", on_error="pass", enabled=False, log_level="DEBUG")
    with pytest.raises(OptionError, match='option on-error is "EPERM": must be one of EIO, pass'):
        common.split({"on-error": "EPERM"})
