"""Six kinds of translator, as an author would begin them, and their tests, none of which mounts: a recycle bin, a quota,
encryption, a tripwire, an index, a policy. Each is tested over memory, and as on a brick, the quota
over memory alone."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from functools import partial

import glupy
import pytest
from glupy import Gfid, Loc, Option, Translator


@pytest.fixture(params=[False, True], ids=["client", "brick"])
def start(request, translator):
    return partial(translator, brick=request.param)


# A recycle bin: what is removed goes into a folder, for some time


class RecycleBin(Translator):
    keep = Option("time", default="1h")

    def init(self):
        self.count = 0
        self.removed = []
        self.every(60, self.purge)

    async def bin(self):
        """The folder, made when it is first needed."""
        table = self.itable
        loc = Loc("/.bin", inode=table.grep(table.root, ".bin") or table.new(), parent=table.root)
        try:
            reply = await self.child.lookup(loc)
        except FileNotFoundError:
            reply = await self.child.mkdir(loc, 0o700, 0, {"gfid-req": Gfid.random()})
        return loc.inode.link(table.root, ".bin", reply.buf)

    async def unlink(self, frame, loc, xflags, xdata):
        with frame.as_root():
            folder = await self.bin()
        self.count += 1
        goal = Loc(f"/.bin/{self.count}", inode=self.itable.new(), parent=folder)
        reply = await self.child.rename(loc, goal)
        self.removed.append((time.monotonic(), goal.name))
        return glupy.UnlinkReply(reply.preoldparent, reply.postoldparent)

    async def purge(self):
        table, now = await self.itable_ready(), time.monotonic()
        for entry in [entry for entry in self.removed if now - entry[0] >= self.keep]:
            folder = table.grep(table.root, ".bin")
            loc = Loc(f"/.bin/{entry[1]}", inode=table.new(), parent=folder)
            await self.child.lookup(loc)
            await self.child.unlink(loc, 0)
            self.removed.remove(entry)


def test_recycle_bin(start):
    with start(RecycleBin, keep="10min") as t:
        t.mkdir("/d")
        t.write("/d/file", b"precious")
        t.unlink("/d/file")
        assert t.names("/d") == [] and t.read("/.bin/1") == b"precious"
        t.clock.advance(9 * 60)
        assert t.names("/.bin") == ["1"]
        t.clock.advance(2 * 60)
        assert t.names("/.bin") == [] and t.translator.removed == []


def test_recycle_bin_that_cannot_be_filled(start):
    with start(RecycleBin) as t:
        t.write("/file", b"data")
        t.script(rename=OSError(errno.ENOSPC, ""))
        with pytest.raises(OSError) as caught:
            t.unlink("/file")
        assert caught.value.errno == errno.ENOSPC and t.read("/file") == b"data"


# A quota: nobody but root may have more than so many bytes


class Quota(Translator):
    limit = Option("size", default="1MB")

    def init(self):
        self.used = {}

    async def writev(self, frame, fd, vector, offset, flags, xdata):
        uid, size = frame.uid, len(vector)
        before = (await self.child.fstat(fd)).buf.ia_size
        more = max(0, offset + size - before)
        if uid and self.used.get(uid, 0) + more > self.limit:
            raise OSError(errno.EDQUOT, "")
        self.used[uid] = self.used.get(uid, 0) + more  # before it is written: others ask meanwhile
        try:
            return await self.child.writev(fd, bytes(vector), offset, flags, xdata)
        except OSError:
            self.used[uid] -= more
            raise


def test_quota(translator):
    """Not as on a brick: there an application's write is answered before the translator has it."""
    with translator(Quota, limit="10KB") as t:
        t.chmod("/", 0o777)
        alice, bob = t.user(1000), t.user(1001)
        alice.write("/hers", bytes(8000))
        with pytest.raises(OSError) as caught:
            alice.write("/more", bytes(8000))
        assert caught.value.errno == errno.EDQUOT
        bob.write("/his", bytes(8000))
        t.write("/roots", bytes(80000))
        assert t.translator.used[1000] == 8000


def test_quota_takes_back_what_was_not_written(translator):
    with translator(Quota, limit="10KB") as t:
        t.chmod("/", 0o777)
        t.script(writev=[OSError(errno.EIO, "")])
        with pytest.raises(OSError):
            t.user(1000).write("/file", bytes(8000))
        t.user(1000).write("/file", bytes(8000))


# Encryption: each byte is combined with a key that depends on where it is


class Encryption(Translator):
    key = Option(str, default="secret")

    def combined(self, data, offset):
        first, last = offset // 32, (offset + len(data)) // 32
        stream = b"".join(hashlib.sha256(f"{self.key}{block}".encode()).digest() for block in range(first, last + 1))
        stream = stream[offset - 32 * first:]
        return bytes(byte ^ other for byte, other in zip(data, stream))

    async def readv(self, frame, fd, size, offset, flags, xdata):
        reply = await self.child.readv(fd, size, offset, flags, xdata)
        return reply.replace(vector=self.combined(bytes(reply.data), offset))

    def writev(self, frame, fd, vector, offset, flags, xdata):
        return self.child.writev(fd, self.combined(bytes(vector), offset), offset, flags, xdata)


def test_encryption(start):
    data = os.urandom(300_000)
    with start(Encryption, key="k") as t:
        t.write("/file", data)
        assert t.read("/file") == data and t.stored("/file") != data and len(t.stored("/file")) == len(data)
        with t.open("/file", os.O_RDWR) as file:
            file.write(b"changed", 12345)
            assert file.read(9, 12344) == data[12344:12345] + b"changed" + data[12352:12353]


# A tripwire: whoever touches a certain file is known, and shut out for a while


class Tripwire(Translator):
    bait = Option(str, default="passwords.txt")
    shut_out = Option("time", default="1h")

    def init(self):
        self.until = {}

    def any_fop(self, frame, call):
        if call.name in ("lookup", "open") and call.loc and call.loc.name == self.bait and frame.uid:
            self.log.warning("uid %d of client %s touches %s", frame.uid, frame.client, self.bait)
            self.until[frame.uid] = time.monotonic() + self.shut_out
        if self.until.get(frame.uid, 0) > time.monotonic():
            raise PermissionError


def test_tripwire(start):
    with start(Tripwire, shut_out="1h", expect=["uid 1000 of client intruder touches passwords.txt"]) as t:
        t.write("/passwords.txt", b"bait")
        t.write("/other", b"data")
        intruder = t.user(1000, client="intruder")
        assert intruder.read("/other") == b"data"
        with pytest.raises(PermissionError):
            intruder.read("/passwords.txt")
        t.clock.advance(3599)
        with pytest.raises(PermissionError):
            intruder.read("/other")
        t.clock.advance(2)
        assert intruder.read("/other") == b"data" and t.user(1001).read("/other") == b"data"


# An index: which files there are, by their ending, kept in memory and told by an extended attribute of the root


class Index(Translator):
    def init(self):
        self.names = {}

    def added(self, loc, reply):
        self.names[loc.pargfid or loc.parent.gfid, loc.name] = True
        return reply

    def removed(self, loc):
        self.names.pop((loc.pargfid or loc.parent.gfid, loc.name), None)

    async def create(self, frame, loc, flags, mode, umask, fd, xdata):
        return self.added(loc, await self.child.create(loc, flags, mode, umask, fd, xdata))

    async def unlink(self, frame, loc, xflags, xdata):
        reply = await self.child.unlink(loc, xflags, xdata)
        self.removed(loc)
        return reply

    async def rename(self, frame, oldloc, newloc, xdata):
        reply = await self.child.rename(oldloc, newloc, xdata)
        self.removed(oldloc)
        return self.added(newloc, reply)

    def getxattr(self, frame, loc, name, xdata):
        if name and name.startswith("user.index."):
            ending = name.removeprefix("user.index")
            found = ",".join(sorted(each for _, each in self.names if each.endswith(ending)))
            return glupy.GetxattrReply(dict={name: found.encode()})


def test_index(start):
    with start(Index) as t:
        t.mkdir("/d")
        for path in ("/a.txt", "/d/b.txt", "/c.bin"):
            t.create(path)
        t.rename("/c.bin", "/d/c.txt")
        t.unlink("/a.txt")
        t.script(unlink=OSError(errno.EIO, ""))
        with pytest.raises(OSError):
            t.unlink("/d/b.txt")
        assert t.getxattr("/", "user.index.txt") == b"b.txt,c.txt" and t.getxattr("/", "user.index.bin") == b""


# A policy: nobody but its owner may remove a file


class OwnersOnly(Translator):
    async def unlink(self, frame, loc, xflags, xdata):
        if frame.uid and (await self.child.stat(loc.replace(gfid=loc.inode.gfid))).buf.ia_uid != frame.uid:
            raise PermissionError
        return await self.child.unlink(loc, xflags, xdata)


def test_policy(start):
    with start(OwnersOnly) as t:
        t.chmod("/", 0o777)
        t.user(1000).create("/hers")
        with pytest.raises(PermissionError):
            t.user(1001).unlink("/hers")
        t.script(stat=[OSError(errno.EIO, "")])
        with pytest.raises(OSError) as caught:
            t.user(1000).unlink("/hers")
        assert caught.value.errno == errno.EIO
        t.user(1000).unlink("/hers")
        t.user(1000).create("/again")
        t.unlink("/again")
