#!/usr/bin/python3
"""Show a GlusterFS mount whose lookups are answered by a Python class: ``./run demo``.

Mounts a graph of three translators in one process over a temporary directory, asks for names that do not exist, and
lets GlusterFS itself count how many of the questions reached the brick. Exits 0 if everything went as it is told.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRANSLATOR = Path("translators/negative_lookup.py")
NAMES = [f"config.{suffix}" for suffix in ("py", "pyc", "so", "local", "old")]
ROUNDS = 200
SECONDS = 120

VOLFILE = """\
volume brick
    type storage/posix
    option directory {brick}
end-volume

volume locks
    type features/locks
    subvolumes brick
end-volume

volume remember
    type user/negative_lookup
    subvolumes locks
end-volume
"""


class Failed(Exception):
    """The demonstration did not go as it should."""


def say(text: str = "") -> None:
    print(text, flush=True)


def takes_trusted_xattrs(folder: Path) -> bool:
    """Whether a brick can live there: storage/posix keeps gfids in extended attributes `trusted.*`."""
    try:
        os.setxattr(folder, "trusted.glupy-demo", b"1")
        os.removexattr(folder, "trusted.glupy-demo")
    except OSError:
        return False
    return True


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder for brick and mount point, gone at the end."""
    for parent in (os.environ.get("TMPDIR", "/var/tmp"), "/var/tmp", "/tmp", str(ROOT), "/dev/shm"):
        folder = Path(tempfile.mkdtemp(prefix="glupy-demo.", dir=parent))
        if takes_trusted_xattrs(folder):
            break
        folder.rmdir()
    else:
        raise Failed("no file system here takes trusted.* extended attributes, which a brick needs (is this root?)")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def last_lines(log: Path) -> str:
    """The end of GlusterFS's log: what to look at when something went wrong."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(["GlusterFS's log ends in:", *lines[-30:]])


@contextmanager
def mounted(folder: Path) -> Iterator[Path]:
    """The graph of VOLFILE over folder/brick, mounted on folder/mnt."""
    brick, mount, log, volfile = (folder / name for name in ("brick", "mnt", "log", "demo.vol"))
    brick.mkdir()
    mount.mkdir()
    volfile.write_text(VOLFILE.format(brick=brick))
    # Long timeouts: the kernel asks again for what does not exist, and for nothing else that would blur the count.
    command: list[str | Path] = [
        "glusterfs", "-N", "-f", volfile, "-l", log, "--attribute-timeout=600", "--entry-timeout=600", mount,
    ]
    process = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + SECONDS
        while not os.path.ismount(mount):
            if process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"the graph did not mount.\n{last_lines(log)}")
            time.sleep(0.05)
        yield mount
        subprocess.run(["umount", mount], check=True)
        process.wait(SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        raise Failed(f"{error}\n{last_lines(log)}") from error
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if os.path.ismount(mount):
            subprocess.run(["umount", "-l", mount], check=False)


def lookups_at_brick(mount: Path) -> int:
    """How many lookups storage/posix has seen since this was last asked.

    GlusterFS counts every wind, shows the counts on any mount in `.meta`, and starts anew whenever they are read.
    """
    profile = (mount / ".meta/graphs/active/brick/profile").read_text()
    for line in profile.splitlines():
        if line.startswith("brick.latency.LOOKUP"):
            return int(line.partition("CNT:")[2].split()[0])
    return 0


def ask(mount: Path, names: list[str], rounds: int) -> int:
    """Ask for each name so many times. Returns how many of the lookups reached the brick."""
    lookups_at_brick(mount)
    for _ in range(rounds):
        for name in names:
            if (mount / name).exists():
                raise Failed(f"{name} should not exist")
    return lookups_at_brick(mount)


def show(mount: Path) -> None:
    first = ask(mount, NAMES, 1)
    say(f"{len(NAMES)} names that do not exist, asked for once: {first} lookups reached the brick.")

    started = time.monotonic()
    again = ask(mount, NAMES, ROUNDS)
    micros = (time.monotonic() - started) / (ROUNDS * len(NAMES)) * 1e6
    say(f"The same names {ROUNDS} times more, {ROUNDS * len(NAMES)} questions: {again} lookups reached the brick;")
    if first < len(NAMES) or again > len(NAMES):
        raise Failed("this is not what a translator that remembers missing names gives")
    say(f"Python answered the others itself, in {micros:.0f} us each, kernel and FUSE included.")

    name = NAMES[0]
    (mount / name).write_text("here after all\n")
    if (mount / name).read_text() != "here after all\n" or name not in os.listdir(mount):
        raise Failed(f"{name} was created and cannot be read")
    say(f"{name} was created after all, and there it is: the translator has seen the create and forgot the name.")

    (mount / name).unlink()
    if (mount / name).exists():
        raise Failed(f"{name} was removed and still exists")
    say(f"Removed again, {name} does not exist, as it should.")


def method(source: str, name: str) -> str:
    """The text of the one method of that name in a Python file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
            return "\n".join(source.splitlines()[node.lineno - 1 : node.end_lineno])
    raise Failed(f"{TRANSLATOR} has no method {name}")


def tell() -> None:
    source = (ROOT / TRANSLATOR).read_text()
    say()
    say(f"Here is a GlusterFS mount one of whose translators is written in Python: {TRANSLATOR}.")
    say(f"{source.splitlines()[0].strip(chr(34))} Its answer to a lookup:")
    say()
    say(method(source, "lookup"))
    say()


def tell_log(log: Path) -> None:
    """What the translator itself said at the end."""
    for line in log.read_text(errors="replace").splitlines():
        if "answered here" in line:
            say(f"Its own words, in GlusterFS's log: {line.rpartition('0-remember: ')[2]}")


def main() -> int:
    try:
        tell()
        with temporary_folder() as folder:
            with mounted(folder) as mount:
                say("Mounted: the kernel -> FUSE -> user/negative_lookup (Python) -> features/locks -> storage/posix.")
                say()
                show(mount)
            tell_log(folder / "log")
            if any((folder / "brick" / name).exists() for name in NAMES):
                raise Failed("the brick kept what was removed")
            say("Unmounted, and nothing is left behind.")
    except Failed as failure:
        print(f"demo: {failure}", file=sys.stderr)
        return 1
    say()
    say("To try your own: put it into /etc/glupy/translators/NAME.py, start `./run shell`, and mount a volfile in which a")
    say("volume has `type features/glupy` and `option module NAME`.")
    say("Read on in README.md; docs/design.md tells how it works.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
