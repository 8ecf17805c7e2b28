"""The bricks of a volume as a node's glusterd keeps them: volfile, process, and with which layers that was started.

The graph of a process that runs cannot change: a brick that gets a volfile with other layers tries to start them beside
those that it has, fails, and tries again with each later change. So a brick keeps the layers it was started with until it
starts again. They are noted beside its process number in /run, which ends when all processes do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from glupy_filter import layers
from glupy_filter.layers import Layer

RUN = Path("/run/gluster")


class Brick:
    """A brick of a volume; it may be another node's."""

    def __init__(self, folder: Path, host: str, path: str) -> None:
        self.folder, self.host, self.path = folder, host, path
        dashed = path.replace("/", "-")
        self.volfile = folder / f"{folder.name}.{host}.{dashed.removeprefix('-')}.vol"
        self._run = run_folder(folder)
        self._pid_file = self._run / f"{host}{dashed}.pid"
        self._note = self._run / f"{host}{dashed}.glupy"

    @property
    def pid(self) -> int | None:
        """Of its process; None where it does not run, or not on this node."""
        try:
            pid = int(self._pid_file.read_text())
            program = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]  # empty when it has ended unnoticed
        except (OSError, ValueError):
            return None
        return pid if os.path.basename(program).startswith(b"glusterfs") else None

    def started_with(self) -> dict[str, Layer]:
        """The layers of the process that runs."""
        try:
            return layers.of_pairs(layers.read_pairs(self._note.read_text()))[0]
        except OSError:
            return {}

    def note(self, found: dict[str, Layer]) -> None:
        """What the next process will be started with."""
        if found:
            self._run.mkdir(parents=True, exist_ok=True)
            replace(self._note, layers.written(found))
        else:
            self._note.unlink(missing_ok=True)


def run_folder(folder: Path) -> Path:
    """Where glusterd keeps the process numbers of a volume or snapshot."""
    parts = folder.parts
    start = max(number for number, part in enumerate(parts) if part in ("vols", "snaps"))
    return RUN.joinpath(*parts[start:])


def of(folder: Path) -> Iterator[Brick]:
    """The bricks of the volume whose folder it is."""
    for file in sorted((folder / "bricks").glob("*")):
        said = layers.read_pairs(file.read_text(errors="surrogateescape"))
        if "hostname" in said and "path" in said:
            yield Brick(folder, said["hostname"], said["path"])


def replace(path: Path, text: str) -> None:
    """Write a file in one step: who opens it finds the old text or the new one."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        mode = path.stat().st_mode & 0o777
    except FileNotFoundError:
        mode = 0o600
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", errors="surrogateescape") as file:
        file.write(text)
    os.chmod(fresh, mode)
    os.rename(fresh, path)
