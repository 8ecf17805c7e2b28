"""`glupy watch`: several feeds as one, each change once; cursors, words, other machines, readers that do not read."""

from __future__ import annotations

import errno
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from support.command import GLUPY
from support.feeds import FILE, watch

from glupy.command import watch as command
from glupy.command.feeds import merging, serving
from glupy.command.feeds.files import Folder, folders
from glupy.command.feeds.merging import Distinct, Merge
from glupy.command.feeds.record import Record
from glupy.command.feeds.remote import Machine
from glupy.command.main import glupy_command
from glupy.command.problem import Problem
from glupy.testing import translator

pytestmark = pytest.mark.once

# Several feeds as one


class Told:
    """A feed of a test's own."""

    def __init__(self, id: str, records: Sequence[tuple[int, str]], after: int = 0) -> None:
        self.id = id
        self.records = [Record(id, seq, f"2026-11-27T15:30:{time:02}.000000+00:00", {"fop": "writev", "name": name})
                        for seq, (time, name) in enumerate(records, 1)]
        self.after = after

    def before(self) -> Iterator[Record]:
        return iter(self.records[:self.after])

    def more(self) -> list[Record]:
        found = self.records[self.after:self.after + 2]
        self.after += len(found)
        return found


CHANGES = st.lists(st.tuples(st.integers(0, 59), st.sampled_from("abc")), max_size=20).map(sorted)


@given(changes=CHANGES, missed=st.sets(st.integers(0, 19)), stop=st.integers(0, 25))
def test_what_replicas_tell_is_told_once(changes: list[tuple[int, str]], missed: set[int], stop: int) -> None:
    """In order; also what only one of them has, also when it is resumed in the middle."""
    def feeds(places: dict[str, int]) -> list[Told]:
        return [Told("one", changes, places.get("one", 0)), Told("two", changes, places.get("two", 0))]

    def names(merge: Merge, limit: int | None = None) -> list[str]:
        found = []
        for record in merge.step(all_there_is=True):
            found.append(record.data["name"])
            if len(found) == limit:
                break
        return found

    merge = Merge(feeds({}))
    first = names(merge, stop or None)
    resumed = Merge(feeds(merge.places))
    assert first + names(resumed) == [name for _, name in changes]
    apart = [(time, f"{name}{number}") for number, (time, name) in enumerate(changes)]
    lonely = Merge([Told("one", apart), Told("two", [each for number, each in enumerate(apart) if number not in missed])])
    assert names(lonely) == [name for _, name in apart]


def test_what_is_remembered_is_bounded() -> None:
    distinct = Distinct(limit=100)
    for number in range(1000):
        for feed in ("one", "two"):
            record = Record(feed, number, "2026-11-27T15:30:00.000000+00:00", {"fop": "writev", "name": str(number)})
            assert distinct.is_new(record) == (feed == "one")
    assert len(distinct) <= 100
    distinct.forget(merging.seconds("2026-11-27T15:30:01.000000+00:00"))
    assert len(distinct) == 0


def test_it_waits_for_those_that_are_late() -> None:
    merge = Merge([Told("one", [(1, "a")]), late := Told("two", [])], settle=10**9)
    assert [*merge.step()] == []
    late.records = [Record("two", 1, "2026-11-27T15:30:00.000000+00:00", {"fop": "writev", "name": "first"})]
    assert [record.data["name"] for record in merge.step()] == ["first"]
    assert [record.data["name"] for record in merge.step(all_there_is=True)] == ["a"]


def test_one_that_fails_does_not_stop_the_others() -> None:
    class Broken(Told):
        def more(self) -> list[Record]:
            raise OSError(errno.EIO, "broken")

    told: list[str] = []
    merge = Merge([Told("one", [(1, "a")]), Broken("two", [])], complain=lambda feed, error: told.append(feed.id))
    assert [record.data["name"] for record in merge.step()] == ["a"] and set(told) == {"two"}


# The command


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    """A folder with one feed of five directories."""
    with translator(FILE, directory=tmp_path / "feeds") as t:
        for number in range(5):
            t.mkdir(f"/dir{number}")
    return tmp_path / "feeds"


def test_cursors(feeds: Path, tmp_path: Path) -> None:
    assert watch(feeds) == [], "without a cursor it begins with what is to come"
    found = watch(feeds, "--from", "start")
    assert [line["name"] for line in found] == [f"dir{number}" for number in range(5)]
    assert [line["name"] for line in watch(feeds, "--from", found[2]["cursor"])] == ["dir3", "dir4"]
    kept = tmp_path / "cursor"
    kept.write_text(found[0]["cursor"])
    assert len(watch(feeds, "--cursor", kept)) == 4 and watch(feeds, "--cursor", kept) == []


def test_issue_3864_every_reader_is_told(tmp_path: Path) -> None:
    """Several follow at once, from wherever they are: each has each change."""
    with translator(FILE, directory=tmp_path) as t:
        t.mkdir("/before")
        one, other, late = (Folder(folder, None) for folder in folders(tmp_path) for _ in range(3))

        def told(reader: Folder) -> list[str]:
            return [record.data["name"] for record in reader.more()]

        t.mkdir("/first")
        assert told(one) == told(other) == ["first"]
        t.mkdir("/second")
        assert told(one) == told(other) == ["second"] and told(late) == ["first", "second"]


def test_issues_585_and_3890_the_words_of_inotify(feeds: Path) -> None:
    done = CliRunner().invoke(glupy_command, ["watch", str(feeds), "--from", "start", "--no-wait", "--path", "/*[13]"])
    assert [line.split()[1:3] for line in done.stdout.splitlines()] == [["CREATE", "/dir1"], ["CREATE", "/dir3"]]


@pytest.mark.parametrize(("arguments", "said"), [
    (["/none"], "there is no feed in /none"), (["FEEDS", "--from", "yesterday"], "is no cursor"),
    (["FEEDS", "--serve", "127.0.0.1:0"], "a port takes a key"), (["FEEDS", "--with", "there"], "is not http://HOST:PORT"),
    (["FEEDS", "--with", "http://127.0.0.1:1"], "does not answer"), (["FEEDS", "--key", "/none"], "/none cannot be read"),
])
def test_what_cannot_be(arguments: list[str], said: str, feeds: Path) -> None:
    done = CliRunner().invoke(glupy_command, ["watch", *(str(feeds) if each == "FEEDS" else each for each in arguments)])
    assert done.exit_code == 1 and said in done.output


@contextmanager
def served(address: str, top: Path, key: str) -> Iterator[Any]:
    def changes(start: str | None) -> Iterator[str]:
        merge = command._merge(str(top), start, (), key, 0)
        return (command._as_json(record, merge) if record else "" for record in command._follow(merge, False))
    server = serving.server(address, folders(top), changes, key)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_feeds_of_another_machine(feeds: Path, tmp_path: Path) -> None:
    """They are merged with those here, and what both have is told once; who has no key gets nothing."""
    key = tmp_path / "key"
    key.write_text("secret\n")
    shutil.copytree(feeds, tmp_path / "here")
    (about,) = (tmp_path / "here").rglob("feed.json")
    about.write_text('{"id": "here"}')
    with served("127.0.0.1:0", feeds, "secret") as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        found = watch(tmp_path / "here", "--with", url, "--key", key, "--from", "start")
        assert [line["name"] for line in found] == [f"dir{number}" for number in range(5)]
        assert len(watch("/none", "--with", url, "--key", key, "--from", "start")) == 5
        resumed = watch(tmp_path / "here", "--with", url, "--key", key, "--from", found[1]["cursor"])
        assert [line["name"] for line in resumed] == ["dir2", "dir3", "dir4"]
        with pytest.raises(Problem, match="401"):
            Machine(url, "other").feeds(None)
        (remote,) = Machine(url, "secret").feeds(None)
        assert remote.more() == [] and remote.after == 5
        with urlopen(Request(f"{url}/changes?from=start", headers={"Authorization": "Bearer secret"}), timeout=60) as stream:
            assert [json.loads(stream.readline())["name"] for _ in range(5)] == [f"dir{number}" for number in range(5)]


def test_a_local_socket(feeds: Path, tmp_path: Path) -> None:
    place = tmp_path / "socket"
    with subprocess.Popen([GLUPY, "watch", feeds, "--serve", place], stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr and server.stderr.readline() == f"glupy watch: serves on {place}\n"
        assert place.stat().st_mode & 0o777 == 0o600
        with socket.socket(socket.AF_UNIX) as end:
            end.connect(str(place))
            end.sendall(b"GET /changes?from=start HTTP/1.1\r\nHost: local\r\n\r\n")
            with end.makefile("rb") as answer:
                found = [*islice((json.loads(line) for line in answer if line.startswith(b"{")), 3)]
        server.terminate()
    assert [line["name"] for line in found] == ["dir0", "dir1", "dir2"]


def test_a_reader_that_does_not_read(tmp_path: Path) -> None:
    """Its pipe is full, and the volume goes on; when it reads again, nothing is missing."""
    with translator(FILE, directory=tmp_path) as t:
        t.mkdir("/first")
        reader = subprocess.Popen([GLUPY, "watch", tmp_path, "--from", "start", "--json"], stdout=subprocess.PIPE)
        assert reader.stdout
        try:
            assert json.loads(reader.stdout.readline())["name"] == "first"
            for number in range(500):
                t.mkdir(f"/dir{number}")
            names = [json.loads(reader.stdout.readline())["name"] for _ in range(500)]
        finally:
            reader.terminate()
            reader.communicate()
    assert names == [f"dir{number}" for number in range(500)]
