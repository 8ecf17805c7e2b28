"""`glupy watch`: the changes of a volume as they happen."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import click

from glupy.command.feeds import serving, wording
from glupy.command.feeds.files import HOME, Folder, folders
from glupy.command.feeds.merging import Merge
from glupy.command.feeds.record import Feed, Record, cursor_places, cursor_text
from glupy.command.feeds.remote import Machine
from glupy.command.problem import Problem

#: Seconds between two looks, and between two times that the cursor is written down.
PAUSE, SAVING = 0.1, 1.0


@click.command(short_help="Follow the changes of a volume.")
@click.argument("what", metavar="VOLUME|DIRECTORY")
@click.option("--from", "start", metavar="CURSOR", help="Begin behind a cursor, as --json prints them, or with `start` at the "
              "oldest change that is kept. Without it, begin with what comes from now on.")
@click.option("--cursor", "kept", metavar="FILE", type=click.Path(path_type=Path), help="Begin behind the cursor in this "
              "file, if there is one, and keep it there, so that the next run goes on.")
@click.option("--with", "others", metavar="URL", multiple=True, help="Also follow the feeds of another machine, where glupy "
              "watch --serve runs: http://HOST:PORT. Can be given several times.")
@click.option("--key", "key_file", metavar="FILE", type=click.Path(path_type=Path), help="A file with the key for --with and "
              "--serve, one line, the same on all machines.")
@click.option("--serve", "address", metavar="ADDRESS", help="Print nothing, but give the feeds to others by HTTP, on "
              "HOST:PORT, which takes a key, or on a local socket, a path with a slash in it.")
@click.option("--path", "pattern", metavar="PATTERN", help="Only changes of paths that fit; * stands for slashes, too.")
@click.option("--internal", is_flag=True, help="Also what GlusterFS did by itself, where the translator writes it down.")
@click.option("--settle", type=click.FloatRange(0), default=1.0, show_default=True, metavar="SECONDS", help="How long a "
              "change waits for earlier ones of other bricks.")
@click.option("--no-wait", is_flag=True, help="End when all changes so far have been printed.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each change, for programs.")
def command(what: str, start: str | None, kept: Path | None, others: Sequence[str], key_file: Path | None, address: str | None,
            pattern: str | None, internal: bool, settle: float, no_wait: bool, as_json: bool) -> None:
    """Print each change of a volume with the translator watch in its bricks, until Ctrl-C: when, what (in the words of
    inotify), where, and who.

    VOLUME stands for /var/lib/glupy/watch/VOLUME, where the bricks of this machine write their feeds; where the option
    `directory` of the translator says otherwise, name a DIRECTORY. The feeds are merged by time, and what several bricks
    did together is printed once. Bricks of other machines come in by --with. This takes root.

    With --json each line is that of the feed with two keys more: `feed`, and `cursor`, from which --from goes on. Lines
    without `fop` say that something is missing: `missing`, `lost`, `crash`.
    """
    key = _key(key_file)
    if address:
        _serve(what, address, key, others, settle)
        return
    if kept and start is None and kept.exists():
        start = _text(kept)
    wanted = _filter(pattern, internal)
    merge = _merge(what, start, others, key, settle)
    shown = _as_json if as_json else lambda record, merge: wording.line(record)
    saver = Saver(kept, merge)
    for record in _follow(merge, no_wait):
        if record and wanted(record):
            click.echo(shown(record, merge))
        saver.look(record is None)


class Saver:
    """Keeps in a file how far has been printed: never what has not been."""

    def __init__(self, path: Path | None, merge: Merge) -> None:
        self._path, self._merge = path, merge
        self._saved, self._next = "", 0.0

    def look(self, idle: bool) -> None:
        if self._path and (idle or time.monotonic() >= self._next):
            self.save()
            self._next = time.monotonic() + SAVING

    def save(self) -> None:
        text = cursor_text(self._merge.places)
        if not self._path or text == self._saved:
            return
        new = Path(f"{self._path}.new")
        new.write_text(f"{text}\n")
        os.replace(new, self._path)
        self._saved = text


def _as_json(record: Record, merge: Merge) -> str:
    return json.dumps({**record.data, "feed": record.feed, "cursor": cursor_text(merge.places)})


def _filter(pattern: str | None, internal: bool) -> Callable[[Record], bool]:
    def wanted(record: Record) -> bool:
        if not record.is_change:
            return True
        if record.data.get("internal") and not internal:
            return False
        return pattern is None or any(fnmatchcase(path, pattern) for path in wording.paths(record.data))
    return wanted


def _merge(what: str, start: str | None, others: Sequence[str], key: str, settle: float) -> Merge:
    """All feeds that are asked for, from a cursor on. Raises Problem."""
    places = None if start is None else {} if start == "start" else cursor_places(start)
    feeds: list[Feed] = [Folder(folder, None if places is None else places.get(_id(folder), 0))
                         for folder in _folders(what, others)]
    for url in others:
        feeds += Machine(url, key).feeds(places)
    if len({feed.id for feed in feeds}) < len(feeds):
        raise Problem("a feed is there twice; is a machine named twice, or this one?")
    gone = sorted((places or {}).keys() - {feed.id for feed in feeds})
    if gone:
        click.echo(f"glupy watch: there is no feed {', '.join(gone)} any more, of which the cursor speaks", err=True)
    told: dict[str, str] = {}

    def complain(feed: Feed, error: OSError) -> None:
        text = str(error)
        if told.get(feed.id) is None:
            click.echo(f"glupy watch: feed {feed.id}: {text}; it is tried again", err=True)
        told[feed.id] = text
    merge = Merge(feeds, settle, complain)
    merge.places = {feed.id: feed.after for feed in feeds}
    return merge


def _follow(merge: Merge, no_wait: bool) -> Iterator[Record | None]:
    """The records, and None where there is none at the moment."""
    while True:
        nothing = True
        for record in merge.step(all_there_is=no_wait):
            nothing = False
            yield record
        if nothing:
            yield None
            if no_wait:
                return
            time.sleep(PAUSE)


def _serve(what: str, address: str, key: str, others: Sequence[str], settle: float) -> None:
    if "/" not in address and not key:
        raise Problem("a port takes a key: --key FILE, one line that nobody can guess, such as `openssl rand -hex 32` prints")

    def changes(start: str | None) -> Iterator[str]:
        merge = _merge(what, start, others, key, settle)
        return (_as_json(record, merge) if record else "" for record in _follow(merge, False))
    listening = serving.server(address, _folders(what, others), changes, key)
    click.echo(f"glupy watch: serves on {address}", err=True)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    thread.join()


def _folders(what: str, others: Sequence[str]) -> list[Path]:
    """Where the feeds of this machine are; there may be none where those of others are asked for. Raises Problem."""
    top = Path(what) if "/" in what else HOME / what
    try:
        found = folders(top)
    except OSError as error:
        raise Problem(f"{top} cannot be read: {error.strerror}; this takes root") from None
    if not found and not others:
        raise Problem(f"there is no feed in {top}; is the translator watch in the bricks of this machine, and have they been "
                      "started since?" + ("" if os.geteuid() == 0 else " Only root sees it."))
    return found


def _id(folder: Path) -> Any:
    return json.loads((folder / "feed.json").read_text())["id"]


def _key(file: Path | None) -> str:
    return _text(file) if file else ""


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError as error:
        raise Problem(f"{file} cannot be read: {error.strerror}") from None
