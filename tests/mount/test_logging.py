"""Levels: Python's loggers follow GlusterFS's, while it runs; and what nobody handles is one entry in the log."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.attempts import attempt
from support.mounts import Mount, MountFailed
from support.volfiles import layer

LINES = (Path(__file__).parent.parent / "translators/speaks.py").read_text().splitlines()
LOGGERS = ("own", "library", "root", "child")

#: Everything that the tests here say at WARNING or worse, and GlusterFS 11 at a look into .meta.
SAID = (r"\[speaks\.py:", r" 0-\w+: complained", "inode_set_namespace_inode")


def ask(mount: Mount, how: str, name: str = "speaks") -> Any:
    answer = attempt(mount, os.getxattr, mount.path, f"user.{name}.{how}")
    assert isinstance(answer, bytes), answer
    return json.loads(answer)


def set_level(mount: Mount, level: int) -> None:
    """The process's log level, a gf_loglevel_t, as an administrator changes it."""
    (mount.path / ".meta/logging/loglevel").write_text(f"{level}\n")


@pytest.fixture(scope="module")
def mounted() -> Iterator[Mount]:
    with Mount([layer("speaks", "user/speaks")], expected=SAID) as mount:
        yield mount


@pytest.fixture
def mount(mounted: Mount) -> Iterator[Mount]:
    yield mounted
    set_level(mounted, 7)


def said(mount: Mount, how: str, name: str = "speaks") -> list[tuple[str, str]]:
    """The entries that a question adds to the log."""
    before = len(mount.entries())
    ask(mount, how, name)
    return mount.entries()[before:]


def test_nothing_is_formatted_that_is_not_written(mount: Mount) -> None:
    everywhere = dict.fromkeys((*LOGGERS, "old"), 0)
    assert ask(mount, "formats") == ask(mount, "thread.formats") == everywhere
    set_level(mount, 8)
    everywhere = dict.fromkeys(everywhere, 1)
    assert ask(mount, "formats") == ask(mount, "thread.formats") == everywhere
    entries = [text for level, text in mount.entries() if "formatted 1" in text]
    assert len(entries) == 2 * len(everywhere)
    set_level(mount, 7)
    assert ask(mount, "formats") == dict.fromkeys(everywhere, 0)


def test_the_short_way_says_the_same(mount: Mount) -> None:
    """What goes straight to GlusterFS's log is what Python's logging would have made of it, at the same place."""
    entries = [re.sub(r"^\[[^]]*\] |speaks.py:\d+:", "", text).rstrip() for _, text in said(mount, "straight") if " 0-speaks: " in text]
    texts = [text.partition(" 0-speaks: ")[2].splitlines()[0].strip() for text in entries]
    one = ["plain 100%", "text and 5", "value of a dict", "{}", "an object", "b\\0a\\udc80d \u20ac",
           "by log()", "by a name", "with extra"]
    assert texts == one + one and entries[:9] == entries[9:17] + [entries[17].partition("\n")[0]]
    assert all("straight" in text for text in entries if "by a name" not in text)


def test_a_message_that_cannot_be_made() -> None:
    """Python's logging tells of it on stderr, which is the log here; nobody else notices."""
    with Mount([layer("speaks", "user/speaks")], expected=(" 0-speaks: ",)) as mount:
        entries = said(mount, "mistaken")
    assert any("Logging error" in text for _, text in entries) and any("TypeError" in text for _, text in entries)


def test_a_filter_is_asked(mount: Mount) -> None:
    texts = [text.partition(" 0-speaks: ")[2].strip() for _, text in said(mount, "filtered") if " 0-speaks: " in text]
    assert texts == ["LOUD", "quiet"]


#: A gf_loglevel_t, the lowest of Python's levels that is written, and the letters of what is written.
LEVELS = [(0, 1 << 30, ""), (2, 1 << 30, ""), (3, 50, "C"), (4, 40, "CE"), (5, 30, "CEW"), (6, 25, "CEWN"),
          (7, 20, "CEWNI"), (8, 10, "CEWNID"), (9, 1, "CEWNIDT")]


@pytest.mark.parametrize(("level", "lowest", "letters"), LEVELS)
def test_every_level(mount: Mount, level: int, lowest: int, letters: str) -> None:
    set_level(mount, level)
    assert ask(mount, "effective") == ask(mount, "thread.effective") == dict.fromkeys(LOGGERS, lowest)
    enabled = {1 << 30: 0, 1: 5}.get(lowest, lowest)
    assert ask(mount, "enabled") == ask(mount, "thread.enabled") == dict.fromkeys(LOGGERS, enabled)
    written = [entry for entry in said(mount, "levels") if "[speaks.py:" in entry[1]]
    assert "".join(letter for letter, _ in written) == letters
    names = ("critical", "error", "warning", "notice", "info", "debug", "trace")
    assert all(f" 0-speaks: at {name}" in text for name, (_, text) in zip(names, written))


def test_levels_of_the_authors_own(mount: Mount) -> None:
    assert ask(mount, "own_level") == 40
    assert "not to be seen" not in mount.text()
    assert ask(mount, "disable") == [False, True]


def test_option_log_level() -> None:
    """It decides for its translator alone, on threads of the author's own too; the process's level does for others."""
    layers = [layer("loud", "user/speaks", log_level="DEBUG"), layer("quiet", "user/speaks", log_level="ERROR"),
              layer("silent", "user/speaks", log_level="NONE"), layer("plain", "user/speaks")]
    with Mount(layers, expected=SAID) as mount:
        for name, lowest in (("loud", 10), ("quiet", 40), ("silent", 1 << 30), ("plain", 20)):
            assert ask(mount, "effective", name)["own"] == ask(mount, "thread.effective", name)["own"] == lowest
            assert ask(mount, "formats", name)["own"] == ask(mount, "thread.formats", name)["own"] == (lowest == 10)
            assert ask(mount, "effective", name)["library"] == (20 if name == "silent" else lowest)
        assert len(re.findall(r" D \[.*\] 0-loud: formatted 1", mount.text())) == 2
        assert [letter for letter, text in said(mount, "thread.prints", "loud") if " 0-loud: " in text] == ["I", "W"]
        assert not [text for _, text in said(mount, "thread.prints", "quiet") if " 0-quiet: " in text]
        set_level(mount, 4)
        assert ask(mount, "effective", "plain")["own"] == 40
        assert ask(mount, "effective", "loud")["own"] == 10


def test_level_of_one_translator_while_mounted() -> None:
    """GlusterFS's own way to change one translator's level."""
    with Mount([layer("speaks", "user/speaks"), layer("other", "user/speaks")], expected=SAID) as mount:
        done = subprocess.run(["setfattr", "-n", "trusted.glusterfs.speaks.set-log-level", "-v", "DEBUG", mount.path],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert ask(mount, "effective")["own"] == 10 and ask(mount, "formats")["own"] == 1
        assert ask(mount, "effective", "other")["own"] == 20 and ask(mount, "formats", "other")["own"] == 0


def test_what_nobody_handles_is_one_entry(mount: Mount) -> None:
    entries = [text for level, text in said(mount, "fails") if level == "E"]
    assert len(entries) == 2, entries
    for text, function, line in zip(
            entries, (r"<lambda>", r"__del__"), ("on_a_thread(lambda: 1 // 0)", 'raise RuntimeError("in __del__")')):
        found = re.search(rf"\[speaks\.py:(\d+):{function}\] 0-speaks: (.*)", text)
        assert found and LINES[int(found[1]) - 1].strip() == line, text
        assert "Traceback (most recent call last):\n" in text
    assert "Exception in thread errand:\n" in entries[0] and "\nZeroDivisionError: " in entries[0]
    assert "FailsAtTheEnd.__del__" in entries[1] and "\nRuntimeError: in __del__" in entries[1]


def test_prints_are_dropped_early(mount: Mount) -> None:
    assert [letter for letter, _ in said(mount, "prints")] == ["I", "W"]
    set_level(mount, 4)
    assert said(mount, "prints") == []


def test_a_refusal_is_seen_whatever_its_log_level(trusted: Path) -> None:
    (trusted / "mod.py").write_text("x = 1\n")
    for level in ("CRITICAL", "NONE"):
        mount = Mount([layer("python", "features/glupy", module="mod", log_level=level)], folder=trusted)
        with pytest.raises(MountFailed) as caught, mount:
            pass
        assert "python is not loaded: " in caught.value.log


AGAIN = ("printed again", "complained again", "logged again", "library again", "UserWarning: warned again",
         "logged on a thread again", "RuntimeError: in __del__", "ValueError: raised again")


def test_item_16_each_entry_appears_at_once() -> None:
    """GlusterFS holds back what it has just been told, for two minutes; not what an author says, nor his mistakes."""
    times = 39
    with Mount([layer("speaks", "user/speaks")], expected=(*SAID, "again", "in __del__", "getxattr of", "GETXATTR")) as mount:
        ask(mount, f"repeats.{times}")
        for _ in range(times):
            with pytest.raises(OSError, match="Input/output error"):
                os.getxattr(mount.path, "user.speaks.raises")
        entries = [text for _, text in mount.entries()]
        assert {text: sum(text in entry for entry in entries) for text in AGAIN} == dict.fromkeys(AGAIN, times)
        assert "repeated" not in mount.text()
