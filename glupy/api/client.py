"""Client: who asks a brick, as GlusterFS's text with what can be read in it."""

from __future__ import annotations

import re

#: What protocol/client calls itself (client_setvolume()). A host's name may have dashes, and so may a volume's.
_UID = re.compile(r"CTX_ID:(?P<uuid>.*?)-GRAPH_ID:(?P<graph>\d+)-PID:(?P<pid>\d+)-HOST:(?P<host>.*)"
                  r"-PC_NAME:(?P<connection>.*)-RECON_NO:-?\d+", re.DOTALL)

#: A volume of type protocol/client, as glusterd names it: VOLUME-client-NUMBER.
_CONNECTION = re.compile(r"(?P<volume>.+)-client-\d+", re.DOTALL)


class Client(str):
    """Who asks a brick: frame.client there, and what client_disconnect() and client_destroy() are given.

    It is a str, GlusterFS's text for the client (client_t.client_uid), and is compared, hashed, printed and written to JSON as
    one. What can be read in that text are its attributes; each is None where the text does not say it.

    host    the name of the client's machine
    pid     its process there (int), not the application's: that is frame.pid
    volume  the volume that it uses, as far as it was glusterd that made its volfile
    uuid    what tells its process from all others, as text

    All of it is what the client says of itself, and may be made up: no right should hang on it. A process has a Client for
    each of its graphs and bricks. marshal (glupy.Shared) takes plain text only: str(client).
    """

    __slots__ = ()

    def _said(self, what: str) -> str | None:
        found = _UID.fullmatch(self)
        return found[what] if found else None

    @property
    def host(self) -> str | None:
        """The name of the client's machine. None where the text does not say it."""
        return self._said("host")

    @property
    def pid(self) -> int | None:
        """Its process there, not the application's. None where the text does not say it."""
        said = self._said("pid")
        return None if said is None else int(said)

    @property
    def volume(self) -> str | None:
        """The volume that it uses, where glusterd made its volfile. None where the text does not say it."""
        return volume_of(self._said("connection") or "")

    @property
    def uuid(self) -> str | None:
        """What tells its process from all others. None where the text does not say it."""
        return self._said("uuid")


def volume_of(connection: str) -> str | None:
    """The volume whose protocol/client has this name."""
    found = _CONNECTION.fullmatch(connection)
    return found["volume"] if found else None
