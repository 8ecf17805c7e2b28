"""The type stubs: every shipped translator passes mypy --strict, and what is wrong is found."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.environment import unsanitized

import glupy

pytestmark = pytest.mark.once

PACKAGE = Path(glupy.__file__).resolve().parent
TRANSLATORS = Path(__file__).resolve().parents[2] / "translators"
MYPY = shutil.which("mypy", path="/usr/bin") or shutil.which("mypy") or "mypy, which is not installed"

GOOD = """
from glupy import (Answer, EntryLoc, Fd, Frame, InodeLoc, Loc, LookupReply, OpenReply, Option, ReadvReply, RenameReply,
                   StatReply, TargetLoc, Translator, TruncateReply, UnlinkReply, Wind, Xdata, asyncio, fail, gather, sleep,
                   to_thread, xattr)


class Good(Translator):
    limit = Option(int, default=1, min=0)
    size = Option("size", default="64KB")
    share = Option("percent", default=12.5)
    name_of = Option(str, default=None)
    quick = Option(bool, default=False)

    def init(self) -> None:
        total: int = self.limit + self.size
        ratio: float = self.share
        self.label: str = (self.name_of or "none") + str(total * ratio)
        self.quickly: bool = self.quick

        self.where: str = f"{self.volume or self.side} {self.brick_path} {self.child.options.get('directory')}"

    @xattr("user.host", who="anyone", listed=True)
    def host(self, frame: Frame, loc: Loc, name: str) -> str | None:
        return frame.client.host if frame.client else None

    @host.setter(who="root")
    async def set_host(self, frame: Frame, loc: Loc, name: str, value: bytes | None) -> None:
        self.label = (value or b"").decode()

    async def lookup(self, frame: Frame, loc: Loc, xdata: Xdata) -> LookupReply:
        reply = await self.child.lookup(loc, xdata)
        reply.buf.ia_size += 1
        reply.xdata["answered"] = 1
        return reply.replace(buf=reply.buf.replace(ia_size=3))

    async def stat(self, f: Frame, where: Loc, x: Xdata) -> StatReply:
        first, second = await gather(self.children[0].stat(where), self.children[1].stat(where))
        await sleep(0.1)
        number: int = await to_thread(int, "3")
        number += await asyncio(self.ask())
        return first if first.buf.ia_mtime > second.buf.ia_mtime + number else second

    async def ask(self) -> int:
        return 3

    def unlink(self, frame: Frame, loc: EntryLoc, xflags: int, xdata: Xdata) -> None:
        self.log.info("%s", loc.path)
        self.seen = (loc.parent.gfid, loc.name.upper(), loc.inode.gfid)

    async def rename(self, frame: Frame, oldloc: EntryLoc, newloc: TargetLoc, xdata: Xdata) -> Answer[RenameReply]:
        if oldloc.parent == newloc.parent and oldloc.name.startswith(".") and newloc.inode is None:
            return fail(1)
        return self.child.rename(oldloc, Loc.from_inode(newloc.parent).child(newloc.name), xdata)

    async def truncate(self, frame: Frame, loc: InodeLoc, offset: int, xdata: Xdata) -> Answer[TruncateReply]:
        return self.child.truncate(Loc.from_inode(loc.inode), offset, xdata)

    def open(self, frame: Frame, loc: Loc, flags: int, fd: Fd, xdata: Xdata) -> Wind[OpenReply] | None:
        return self.child.open(loc, flags, fd) if frame.uid else None

    async def readv(
        self, frame: Frame, fd: Fd, size: int, offset: int, flags: int, xdata: Xdata,
    ) -> ReadvReply | Wind[ReadvReply]:
        if offset:
            return self.child.readv(fd, size, offset, flags, xdata)
        reply = await self.child.readv(fd, size, offset, flags, xdata)
        return ReadvReply(bytes(reply.data).upper(), reply.stbuf)
"""

BAD = """
from glupy import Frame, Loc, LookupReply, StatReply, Translator, Xdata


class Bad(Translator):
    async def lookup(self, frame: Frame, loc: Loc, xdata: Xdata) -> StatReply:  # error: another fop's reply
        return await self.child.stat(loc, xdata)

    async def stat(self, frame: Frame, loc: Loc) -> StatReply:  # error: an argument is missing
        return await self.child.stat(loc)

    async def open(self, frame: Frame, loc: Loc, flags: int, fd: str, xdata: Xdata) -> None:  # error: fd, and None
        await self.child.lokup(loc)  # error: no such fop
        await self.child.lookup(3)  # error: not a Loc
        LookupReply(stat=1)  # error: no such field
        self.nothing  # error: no such attribute

    async def rename(self, frame: Frame, oldloc: Loc, newloc: EntryLoc, xdata: Xdata) -> None:  # error: no inode
        oldloc.parent.gfid  # error: a Loc as such may be without
"""


def mypy(tmp_path: Path, *files: Path) -> tuple[int, list[str]]:
    """Exit status and error lines; MYPYPATH leads to the built package."""
    done = subprocess.run(
        [str(MYPY), "--strict", f"--python-version={sys.version_info[0]}.{sys.version_info[1]}",
         f"--cache-dir={tmp_path}/cache", "--hide-error-context", "--no-error-summary", *map(str, files)],
        env={**unsanitized(), "MYPYPATH": str(PACKAGE.parent)}, cwd=tmp_path, text=True, capture_output=True)
    return done.returncode, [line for line in (done.stdout + done.stderr).splitlines() if "error:" in line]


def test_shipped_translators(tmp_path):
    packages = sorted(file.parent for file in TRANSLATORS.glob("*/__init__.py"))
    assert mypy(tmp_path, *sorted(TRANSLATORS.glob("*.py")), *packages) == (0, [])


def test_package(tmp_path):
    assert mypy(tmp_path, PACKAGE) == (0, [])


def test_good_sample(tmp_path):
    (tmp_path / "good.py").write_text(GOOD)
    assert mypy(tmp_path, tmp_path / "good.py") == (0, [])


def test_bad_sample(tmp_path):
    (tmp_path / "bad.py").write_text(BAD)
    status, errors = mypy(tmp_path, tmp_path / "bad.py")
    found = {int(line.split(":")[1]) for line in errors}
    expected = {number for number, line in enumerate(BAD.splitlines(), 1) if "# error" in line}
    assert status == 1 and found == expected, errors


def test_stubs_name_what_the_core_has():
    """Every name that the stub exports is there at run time, with the attributes that the stub gives it."""
    import ast
    from glupy import _core
    missing = []
    for node in ast.parse((PACKAGE / "_core.pyi").read_text()).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            target = getattr(_core, node.name, None)
            if target is None:
                missing.append(node.name)
            elif isinstance(node, ast.ClassDef):
                missing += [f"{node.name}.{name}" for name in _members(node) if not hasattr(target, name)]
    assert missing == []


def _members(node):
    import ast
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and not statement.name.startswith("__"):
            yield statement.name
        elif isinstance(statement, ast.AnnAssign):
            yield statement.target.id
