"""A translator in one file, as glusterd carries it from node to node: its modules by their paths, as JSON.

The file's name in glusterd's directory has its SHA-256, so who opens it knows what it has to be.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from glupy.command.problem import Problem
from glupy.command.sources import Source
from glupy.loading import trust

_PREFIX = "glupy-push-"
_NAME = re.compile(_PREFIX + "([0-9a-f]{64})")

#: Bytes that glusterd is asked to carry at most; it hands them on in one message.
MOST = 512 << 10


def packed(source: Source) -> bytes:
    """A translator's file, or all files of a package. Raises Problem."""
    files = [path for path in sorted(source.file.parent.rglob("*")) if path.is_file()] if source.is_package else [source.file]
    data = packed_files({str(path.relative_to(source.folder)): path.read_bytes() for path in files})
    if len(data) > MOST:
        raise Problem(f"{source.name} takes {len(data)} bytes, and glusterd is not asked to carry more than {MOST}: run glupy "
                      "install on each node")
    return data


def packed_files(content: Mapping[str, bytes]) -> bytes:
    """Files by their paths below the folder in which the translator is looked for."""
    return json.dumps({path: base64.b64encode(data).decode() for path, data in content.items()}).encode()


def unpacked(data: bytes, name: str, where: Path) -> Source:
    """The translator of that name, written into a folder. Raises Problem for what is none."""
    try:
        content = {_inside(path): base64.b64decode(text, validate=True) for path, text in json.loads(data).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise Problem(f"what was handed over is no translator: {error}; push it again") from None
    for path, text in content.items():
        (where / path).parent.mkdir(parents=True, exist_ok=True)
        (where / path).write_bytes(text)
    source = Source(name, where / (f"{name}.py" if set(content) == {PurePosixPath(f"{name}.py")} else f"{name}/__init__.py"))
    if not source.file.is_file() or any(path.parts[0] != source.file.relative_to(where).parts[0] for path in content):
        raise Problem(f"what was handed over is not {name}; push it again")
    return source


def _inside(text: str) -> PurePosixPath:
    """A path that stays in the folder it is put in. Raises ValueError."""
    path = PurePosixPath(text)
    if path.is_absolute() or not path.parts or ".." in path.parts or not text.isprintable():
        raise ValueError(f"a file {text!r}")
    return path


@contextmanager
def posted(data: bytes, folder: Path) -> Iterator[str]:
    """A parcel in glusterd's directory as long as the `with` lasts; its name."""
    name = _PREFIX + hashlib.sha256(data).hexdigest()
    path = folder / name
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(data)
    try:
        yield name
    finally:
        path.unlink(missing_ok=True)


def opened(folder: Path, name: str) -> bytes:
    """What a parcel holds, if it is what its name says. Raises Problem, TrustError, OSError."""
    wanted = _NAME.fullmatch(name)
    if not wanted:
        raise Problem(f"{name!r} is no parcel's name; push it again")
    data = trust.read(folder / name)
    if hashlib.sha256(data).hexdigest() != wanted[1]:
        raise Problem(f"{folder / name} arrived otherwise than it was sent; push it again")
    return data


def clear(folder: Path) -> None:
    """Remove all parcels, also what a push that was interrupted has left."""
    for path in folder.glob(f"{_PREFIX}*"):
        path.unlink(missing_ok=True)
