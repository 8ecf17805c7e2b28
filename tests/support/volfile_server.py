"""A server of volfiles, as glusterd is one, and no more: for processes that are to read theirs again.

At SIGHUP GlusterFS 10 asks its volfile server again, but does not read a file of its own again.
"""

from __future__ import annotations

import socketserver
import struct
import threading
from types import TracebackType

#: rpc/rpc-lib: the program that hands out volfiles (GLUSTER_HNDSK_PROGRAM), and its procedure GF_HNDSK_GETSPEC.
_HANDSHAKE, _GETSPEC = 14398633, 2
_LAST = 0x8000_0000  # of the fragments of a record (RFC 5531)
_CALL, _REPLY, _ACCEPTED, _SUCCESS, _UNAVAILABLE, _NO_AUTHENTICATION = 0, 1, 0, 0, 1, 0


def _opaque(data: bytes) -> bytes:
    """XDR's bytes of any length."""
    return struct.pack(">I", len(data)) + data + bytes(-len(data) % 4)


class _Connection(socketserver.StreamRequestHandler):
    server: _Listener

    def handle(self) -> None:
        while len(mark := self.rfile.read(4)) == 4:
            record = self.rfile.read(struct.unpack(">I", mark)[0] & ~_LAST)
            number, kind, _, program, _, procedure = struct.unpack_from(">6I", record)
            if kind == _CALL:
                known = (program, procedure) == (_HANDSHAKE, _GETSPEC)
                reply = struct.pack(">6I", number, _REPLY, _ACCEPTED, _NO_AUTHENTICATION, 0,
                                    _SUCCESS if known else _UNAVAILABLE)
                reply += self._specification() if known else b""
                self.wfile.write(struct.pack(">I", _LAST | len(reply)) + reply)

    def _specification(self) -> bytes:
        """gf_getspec_rsp: op_ret is the length, then op_errno, the volfile, and no xdata."""
        self.server.asked += 1
        volfile = self.server.volfile.encode()
        return struct.pack(">ii", len(volfile), 0) + _opaque(volfile) + _opaque(b"")


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    volfile = ""
    asked = 0


class VolfileServer:
    """Gives everybody who asks the same volfile, on a port of this machine. A context manager."""

    def __init__(self, volfile: str) -> None:
        self._listener = _Listener(("127.0.0.1", 0), _Connection)
        self._listener.volfile = volfile
        self._thread = threading.Thread(target=self._listener.serve_forever, daemon=True)
        #: By which glusterfs and glusterfsd find it.
        self.arguments = ["-s", "127.0.0.1", f"--volfile-server-port={self._listener.server_address[1]}",
                          "--volfile-id", "tests"]

    @property
    def asked(self) -> int:
        """How often the volfile was asked for."""
        return self._listener.asked

    def give(self, volfile: str) -> None:
        """Another volfile, for those who ask from now on."""
        self._listener.volfile = volfile

    def __enter__(self) -> VolfileServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._listener.shutdown()
        self._listener.server_close()
