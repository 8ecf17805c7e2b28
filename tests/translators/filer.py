"""Does what a test asks of self.files: setxattr user.do WHAT, as the coroutine of that name, and logs what came of it."""

from __future__ import annotations

import errno
import os
from typing import Any

import glupy
from glupy import IaType, Translator


async def whole(files: Any) -> None:
    """A day in the life of a folder."""
    folder = await files.mkdir("/made/on/the/way", 0o750, parents=True)
    assert (await files.mkdir("/made", exist_ok=True)).gfid == (await files.lookup("/made")).gfid
    buf = await files.stat(folder)
    assert buf.is_dir() and buf.ia_type == IaType.IFDIR and buf.mode & 0o7777 == 0o750
    name = "n" * 255
    strange = os.fsdecode(b"\xff\xfe name")
    data = os.urandom(300_001)
    for each in (name, strange):
        loc = await files.write(folder.child(each), data, 0o600)
        assert await files.read(loc) == data and loc.name == each
    assert await files.read(b"/made/on/the/way/\xff\xfe name") == data
    await files.write(f"/made/on/the/way/{name}", b"short")
    assert await files.read(f"/made/on/the/way/{name}") == b"short"
    before = (await files.stat(folder.child(name))).ia_gfid
    await files.write(f"/made/on/the/way/{name}", b"whole", atomic=True)
    assert await files.read(folder.child(name)) == b"whole" and (await files.stat(folder.child(name))).ia_gfid != before
    listed = {entry.d_name for entry in await files.list(folder)}
    assert listed == {name, strange}, listed
    await files.copy(folder.child(strange), "/made/copy")
    assert await files.read("/made/copy") == data and (await files.stat("/made/copy")).mode & 0o7777 == 0o600
    await files.rename("/made/copy", "/made/renamed")
    assert not await files.exists("/made/copy") and await files.exists("/made/renamed")
    await files.rename("/made/renamed", f"/made/on/the/way/{name}")
    assert await files.read(f"/made/on/the/way/{name}") == data
    found = [(loc.path, buf.is_dir()) async for loc, buf in files.walk("/made")]
    assert sorted(found) == sorted([("/made", True), ("/made/on", True), ("/made/on/the", True), ("/made/on/the/way", True),
                                    (f"/made/on/the/way/{name}", False), (f"/made/on/the/way/{strange}", False)]), found
    await files.remove(f"/made/on/the/way/{name}")
    await files.remove_tree("/made")
    assert not await files.exists("/made")


async def attributes(files: Any) -> None:
    loc = await files.write("/attributed", b"")
    assert await files.getxattr(loc, "user.x", None) is None
    await files.setxattr("/attributed", "user.x", b"\0value")
    assert await files.getxattr("/attributed", "user.x") == b"\0value" == await files.getxattr(loc, "user.x", b"other")
    await files.removexattr(loc, "user.x")
    await files.removexattr(loc, "user.x", missing_ok=True)
    await fails(errno.ENODATA, files.removexattr(loc, "user.x"))
    await fails(errno.ENODATA, files.getxattr(loc, "user.x"))
    await fails(errno.ENOENT, files.getxattr("/nothing", "user.x", None))
    await files.remove(loc)


async def failures(files: Any) -> None:
    await files.mkdir("/d")
    await files.write("/d/f", bytes(1000))
    await fails(errno.EEXIST, files.mkdir("/d"))
    await fails(errno.EEXIST, files.mkdir("/d/f", exist_ok=True))
    await fails(errno.ENOENT, files.mkdir("/none/d"))
    await fails(errno.ENOTDIR, files.lookup("/d/f/g"))
    await fails(errno.ENOENT, files.write("/none/f", b""))
    await fails(errno.EISDIR, files.write("/d", b""))
    await fails(errno.EISDIR, files.read("/d"))
    await fails(errno.EFBIG, files.read("/d/f", limit=999))
    assert len(await files.read("/d/f", limit=1000)) == 1000
    await fails(errno.EINVAL, files.copy("/d/f", "/d/f"))
    await fails(errno.ENOTEMPTY, files.remove("/d"))
    await fails(errno.ENOENT, files.remove("/none"))
    await fails(errno.ENOENT, files.remove_tree("/none"))
    await fails(errno.ENAMETOOLONG, files.write("/" + "n" * 256, b""))
    await files.remove("/none", missing_ok=True)
    await files.remove_tree("/none", missing_ok=True)
    for path in ("/d/../d", "/./d", "/a\0b"):
        try:
            await files.lookup(path)
        except ValueError:
            continue
        raise AssertionError(path)
    assert (await files.lookup("/")).inode.is_root and (await files.stat("")).is_dir()
    await files.remove_tree("/d")


async def big(files: Any) -> None:
    """More than one portion of a directory, and what others do with it meanwhile."""
    folder = await files.mkdir("/big")
    names = {f"{number:04}{'x' * 200}" for number in range(1200)}
    for name in names:
        await files.write(folder.child(name), b"")
    assert {entry.d_name async for entry in files.scan("/big")} == names
    async for entry in files.scan("/big"):
        assert entry.d_name in names
        break
    await glupy.gather(files.remove_tree("/big"), files.remove_tree("/big", missing_ok=True))
    assert not await files.exists("/big")


async def races(files: Any) -> None:
    made = await glupy.gather(*(files.mkdir("/race/a/b/c", parents=True, exist_ok=True) for _ in range(8)))
    assert len({loc.gfid for loc in made}) == 1, [(loc, loc.inode, loc.parent) for loc in made]
    await glupy.gather(*(files.write("/race/file", bytes([number]) * 1000) for number in range(8)))
    assert len(await files.read("/race/file")) == 1000
    written = glupy.gather(*(files.write("/race/atomic", bytes([number]) * 1000, atomic=True) for number in range(8)))
    await written
    assert len({*await files.read("/race/atomic")}) == 1
    assert {entry.d_name for entry in await files.list("/race")} == {"a", "file", "atomic"}
    removed = await glupy.gather(*(files.remove("/race/file", missing_ok=True) for _ in range(8)))
    assert removed == (None,) * 8
    await files.remove_tree("/race")


async def fails(number: int, doing: Any) -> None:
    try:
        await doing
    except OSError as error:
        assert error.errno == number, error
        return
    raise AssertionError(f"no {os.strerror(number)}")


DOINGS = {function.__name__: function for function in (whole, attributes, failures, big, races)}


class Filer(Translator):
    def init(self) -> None:
        self.spawn(self.begin())

    async def begin(self) -> None:
        """Before there is an inode table, on a brick."""
        await self.files.write("/begun", b"in the background")
        self.log.info("begun")

    async def setxattr(self, frame: Any, loc: Any, dict: Any, flags: int, xdata: Any) -> Any:
        if "user.caller" in dict:
            await self.files.write("/of-the-caller", b"")
            with frame.as_root():
                await self.files.write("/of-root", b"")
            return glupy.SetxattrReply()
        if "user.do" not in dict:
            return self.child.setxattr(loc, dict, flags, xdata)
        try:
            await DOINGS[bytes(dict["user.do"]).decode()](self.files)
        except OSError as error:
            raise AssertionError(dict["user.do"]) from error  # so that its traceback is in the log
        return glupy.SetxattrReply()
