"""Feeds for others, by HTTP, on a port or a local socket: to `glupy watch --with` of other machines, and to any program.

    GET /changes?from=CURSOR         the feeds as one, a line of JSON for each change, for as long as the connection lasts
    GET /feeds                       which feeds there are
    GET /feeds/ID?after=NUMBER       what comes next in one, as it stands there
    GET /feeds/ID/before?at=NUMBER   some of what is in front

Each connection has a thread that reads files for it: one that reads slowly holds up nobody else.
"""

from __future__ import annotations

import hmac
import json
import os
import socket
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from glupy.command.feeds.files import Folder
from glupy.command.feeds.record import Record
from glupy.command.problem import Problem

#: Seconds that a reader may take nothing, before its connection ends; it goes on with its cursor.
PATIENCE = 60

#: How many readers of single feeds are remembered with their places.
PLACES = 100

#: The lines of /changes from a cursor on; an empty one where there is nothing at the moment.
Changes = Callable[[str | None], Iterator[str]]


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    timeout = PATIENCE
    server: Server | LocalServer

    def do_GET(self) -> None:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.server.key and not hmac.compare_digest(given.encode(), self.server.key.encode()):
            self.send_error(401, "the key is another one")
            return
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        try:
            match path.strip("/").split("/"):
                case ["changes"]:
                    self._stream(self.server.changes(query["from"][0] if "from" in query else None))
                case ["feeds"]:
                    self._answer(json.dumps([{"id": folder.id, "last": folder.after} for folder in self._folders(None)]))
                case ["feeds", id]:
                    self._next(id, int(query["after"][0]))
                case ["feeds", id, "before"]:
                    self._lines(folder.before() for folder in self._folders(int(query["at"][0]), id))
                case _:
                    self.send_error(404, "there is /changes and /feeds")
        except (KeyError, ValueError, Problem) as error:
            self.send_error(400, " ".join(str(error).split()))
        except OSError:  # who asked has gone, or takes nothing
            self.close_connection = True

    def _folders(self, after: int | None, id: str | None = None) -> list[Folder]:
        found = [Folder(folder, after) for folder in self.server.folders]
        return [folder for folder in found if id in (None, folder.id)]

    def _next(self, id: str, after: int) -> None:
        """What comes next in a feed. Who asks comes again: the place is kept for that."""
        known = self.server.known.pop((id, after), None)
        for folder in [known] if known else self._folders(after, id):
            found = folder.more()
            self._lines([found])
            self.server.known[id, folder.after] = folder
            while len(self.server.known) > PLACES:
                with suppress(StopIteration, KeyError, RuntimeError):  # another thread may do the same
                    del self.server.known[next(iter(self.server.known))]
            return
        self.send_error(404, "there is no such feed")

    def _lines(self, parts: Iterable[Iterable[Record]]) -> None:
        self._answer("".join(f"{json.dumps(record.data)}\n" for part in parts for record in part
                             if "missing" not in record.data))

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def _stream(self, lines: Iterator[str]) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Connection", "close")
        self.end_headers()
        for line in lines:
            if line:
                self.wfile.write(line.encode() + b"\n")
            elif self._gone():
                return

    def _gone(self) -> bool:
        """Whether the other end has closed, who has nothing more to say."""
        with suppress(BlockingIOError):
            return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        return False

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: who reads is nobody's concern."""


class Server(ThreadingHTTPServer):
    """On HOST:PORT, for those who have the key."""

    daemon_threads = True

    def __init__(self, address: str, folders: list[Path], changes: Changes, key: str) -> None:
        host, _, port = address.rpartition(":")
        self.folders, self.changes, self.key = folders, changes, key
        self.known: dict[tuple[str, int], Folder] = {}
        super().__init__((host or "127.0.0.1", int(port)), Handler)


class LocalServer(ThreadingMixIn, UnixStreamServer):
    """On a socket of this machine, for those who may open it."""

    daemon_threads = True

    def __init__(self, address: str, folders: list[Path], changes: Changes, key: str) -> None:
        self.folders, self.changes, self.key = folders, changes, key
        self.known: dict[tuple[str, int], Folder] = {}
        with suppress(FileNotFoundError):
            if stat.S_ISSOCK(os.lstat(address).st_mode):
                os.unlink(address)
        before = os.umask(0o177)
        try:
            super().__init__(address, Handler)
        finally:
            os.umask(before)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """A connection, and from where, as the handler wants it."""
        return super().get_request()[0], ("local", 0)


def server(address: str, folders: list[Path], changes: Changes, key: str) -> Server | LocalServer:
    """What listens at HOST:PORT, or at the path of a socket. Raises Problem."""
    try:
        return LocalServer(address, folders, changes, key) if "/" in address else Server(address, folders, changes, key)
    except (OSError, ValueError, OverflowError) as error:
        raise Problem(f"{address} cannot be listened on: {error}; --serve takes HOST:PORT, or the path of a socket") from None
