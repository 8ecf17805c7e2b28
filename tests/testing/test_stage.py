"""glupy.testing itself: it shows a translator as GlusterFS would, and fails a test that should fail."""

from __future__ import annotations

import errno
import threading

import pytest

import glupy
from glupy import LoadError, LookupReply, Option, OptionError, Translator
from glupy.testing import Failed, elsewhere, translator


class Nothing(Translator):
    """All fops pass."""


class Policy(Translator):
    """No names but of so many letters, and nobody but root may unlink."""

    limit = Option(int, default=5, min=1)
    strict = Option(bool, default=False)
    ending = Option(str, default="")

    def create(self, frame, loc, flags, mode, umask, fd, xdata):
        if len(loc.name) > self.limit:
            raise PermissionError

    async def unlink(self, frame, loc, xflags, xdata):
        if frame.uid:
            raise PermissionError
        return await self.child.unlink(loc, xflags, xdata)


def raises_errno(number, function, *arguments):
    with pytest.raises(OSError) as caught:
        function(*arguments)
    assert caught.value.errno == number
    return caught.value


# Options, errors at load


def test_options():
    with translator(Policy, limit=3, strict=True, ending='a "b" \\c') as t:
        mine = t.translator
        assert (mine.limit, mine.strict, mine.ending, mine.name) == (3, True, 'a "b" \\c', "policy")
        t.write("/abc", b"")
        error = raises_errno(errno.EPERM, t.write, "/abcd", b"")
        assert error.filename == "/abcd"
        raises_errno(errno.EPERM, t.user(1000).unlink, "/abc")
        t.unlink("/abc")


@pytest.mark.parametrize("options, said", [({"limit": 0}, "limit"), ({"limt": 3}, "limt"), ({"strict": "perhaps"}, "strict")])
def test_options_that_are_wrong(options, said):
    with pytest.raises(OptionError, match=said):
        translator(Policy, **options).__enter__()


def test_interpreters():
    with pytest.raises(LoadError, match="translators that are files"):
        translator(Policy, interpreters=2).__enter__()


def test_init_that_fails():
    class Broken(Translator):
        def init(self):
            raise KeyError("on purpose")

    with pytest.raises(LoadError, match="Broken.init failed: KeyError: 'on purpose'"):
        translator(Broken).__enter__()


def test_a_class_that_cannot_be_meant():
    class Broken(Translator):
        def unlnik(self, frame, loc, xflags, xdata):
            pass

    with pytest.raises(LoadError, match="unlink"):
        translator(Broken).__enter__()


def test_a_value_that_no_volfile_holds():
    with pytest.raises(ValueError, match="backquote"):
        translator(Policy, ending="`id`").__enter__()


def test_a_file(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("from glupy import Translator\n\nclass Mine(Translator):\n    def readlink(self, frame, loc, size, xdata):\n"
                    "        raise PermissionError\n")
    with translator(file) as t:
        t.symlink("there", "/link")
        raises_errno(errno.EPERM, t.readlink, "/link")
        assert t.translator.name == "mine"
    file.write_text("import nothing_of_that_name")
    with pytest.raises(LoadError, match="nothing_of_that_name"):
        translator(file)
    with pytest.raises(LoadError, match="no such file"):
        translator(tmp_path / "none.py")


def test_the_class_stays_as_it_was():
    for _ in range(2):
        with translator(Policy) as t:
            t.create("/a")
            assert isinstance(t.translator, Policy)
    assert Policy.init is Translator.init and __name__ in __import__("sys").modules


# The scripted child


def test_errors_and_replies():
    with translator(Nothing) as t:
        t.write("/file", b"data")
        t.script(stat=OSError(errno.EIO, ""), unlink=[OSError(errno.ENOSPC, ""), PermissionError, None])
        raises_errno(errno.EIO, t.run, t.child.stat(t.loc("/file")))
        raises_errno(errno.ENOSPC, t.unlink, "/file")
        raises_errno(errno.EPERM, t.unlink, "/file")
        t.unlink("/file")
        raises_errno(errno.ENOENT, t.unlink, "/file")
        t.script(stat=None)
        t.script("readlink", "rmdir", answer=OSError(errno.EBUSY, ""))
        t.mkdir("/dir")
        raises_errno(errno.EBUSY, t.rmdir, "/dir")


def test_functions():
    asked = []

    def look(frame, call):
        asked.append((call.name, call.path, frame.uid))
        return FileNotFoundError() if call.path == "/hidden" else None

    async def changed(frame, call):
        reply: LookupReply = await call.wind()
        reply.buf.ia_size = 4711
        return reply

    with translator(Nothing) as t:
        t.script(lookup=look)
        t.write("/seen", b"")
        t.mkdir("/hidden")
        assert not t.user(7).exists("/hidden")
        assert ("lookup", "/hidden", 7) in asked
        t.script(lookup=changed)
        assert t.stat("/seen").st_size == 4711


def test_what_was_asked():
    with translator(Nothing) as t:
        t.write("/file", b"data")
        t.forget()
        t.user(0, 8, pid=99).chmod("/file", 0o600)
        seen = t.seen[-1]
        assert (seen.fop, seen.path, seen.uid, seen.gid, seen.pid) == ("setattr", "/file", 0, 8, 99)
        assert (t.asked("setattr"), t.asked("setattr", "/file"), t.asked("setattr", "/none"), t.asked("writev")) == (1, 1, 0, 0)


def test_from_another_thread():
    threads = []

    class Where(Translator):
        async def readlink(self, frame, loc, size, xdata):
            before = threading.get_native_id()
            reply = await self.child.readlink(loc, size, xdata)
            threads.append((before, threading.get_native_id()))
            return reply

    with translator(Where) as t:
        t.symlink("there", "/link")
        t.readlink("/link")
        t.script(readlink=elsewhere())
        assert {t.readlink("/link") for _ in range(10)} == {"there"}
        t.script(readlink=elsewhere(PermissionError))
        raises_errno(errno.EPERM, t.readlink, "/link")
    assert threads[0][0] == threads[0][1] and any(before != after for before, after in threads[1:])


def test_late_and_out_of_order():
    ended = []

    def truncate(size):
        t.truncate("/file", size)
        ended.append(size)

    with translator(Nothing) as t:
        t.write("/file", b"data")
        hold = t.hold("truncate")
        threads = []
        for size in (1, 2, 3):
            threads.append(threading.Thread(target=truncate, args=(size,)))
            threads[-1].start()
            hold.wait(size)
        assert [seen.fop for seen in hold.waiting] == 3 * ["truncate"] and t.stat("/file").st_size == 4
        for index, thread in ((1, threads[1]), (-1, threads[2]), (0, threads[0])):
            hold.release(index)
            thread.join()
        assert ended == [2, 3, 1] and t.stat("/file").st_size == 1
        hold.release()
        t.truncate("/file", 0)


def test_never():
    with translator(Nothing, patience=0.2) as t:
        t.write("/file", b"data")
        never = t.never("truncate")
        with pytest.raises(TimeoutError, match="truncate /file: no answer after 0.2 s"):
            t.truncate("/file", 1)
        never.wait()


def test_chaos():
    def results(seed):
        found = []
        with translator(Nothing) as t:
            t.write("/file", b"")
            t.chaos(seed, "setattr", errors=0.3)
            for mode in range(40):
                try:
                    t.chmod("/file", mode)
                    found.append(0)
                except OSError as error:
                    found.append(error.errno)
        return found

    one = results(1)
    assert one == results(1) != results(2)
    assert 0 in one and {errno.EIO, errno.ENOTCONN, errno.ENOSPC, errno.ESTALE} & set(one)


# What fails a test


def failure(t):
    """What a test that ends here would fail with."""
    with pytest.raises(Failed) as caught:
        t.__exit__(None, None, None)
    return str(caught.value)


class Speaks(Translator):
    def unlink(self, frame, loc, xflags, xdata):
        self.log.warning("%s goes", loc.path)

    def rmdir(self, frame, loc, xflags, xdata):
        return 1 / 0


def test_warnings():
    t = translator(Speaks).__enter__()
    t.create("/file")
    t.unlink("/file")
    assert "in the log: " in (said := failure(t)) and "/file goes" in said


def test_exceptions():
    t = translator(Speaks).__enter__()
    t.mkdir("/dir")
    raises_errno(errno.EIO, t.rmdir, "/dir")
    assert "ZeroDivisionError" in failure(t)


def test_what_is_expected():
    with translator(Speaks, expect=["ZeroDivision"]) as t:
        t.expect("/file goes")
        t.create("/file")
        t.unlink("/file")
        t.mkdir("/dir")
        raises_errno(errno.EIO, t.rmdir, "/dir")
        assert "/file goes" in t.log


def test_left_inside():
    t = translator(Nothing).__enter__()
    t.create("/file")
    hold = t.hold("truncate")
    thread = threading.Thread(target=t.truncate, args=("/file", 1))
    thread.start()
    hold.wait()
    assert failure(t) == "request left inside: truncate of /file waits in the scripted child, which holds it"
    thread.join()


class Keeps(Translator):
    """Keeps what it should give up."""

    kept: list[object]

    def init(self):
        self.kept = []

    def create(self, frame, loc, flags, mode, umask, fd, xdata):
        if loc.name.startswith("fd"):
            self.kept.append(fd)

    async def mkdir(self, frame, loc, mode, umask, xdata):
        reply = await self.child.mkdir(loc, mode, umask, xdata)
        if loc.name.startswith("inode"):
            self.kept.append(loc.inode)
        return reply


@pytest.mark.parametrize("make", [lambda t: t.create("/fd"), lambda t: t.mkdir("/inode")])
def test_leaks(make):
    t = translator(Keeps).__enter__()
    make(t)
    assert failure(t).startswith("leaked: 1 inodes are in use though all files are closed")
    with translator(Keeps, keeps=1) as t:
        make(t)
    with translator(Keeps) as t:
        t.create("/other")
        t.mkdir("/another")


class KeepsContexts(Keeps):
    """What it keeps has a context."""

    async def mkdir(self, frame, loc, mode, umask, xdata):
        loc.inode.ctx = "context"
        return await super().mkdir(frame, loc, mode, umask, xdata)


def test_what_is_said_of_a_leak():
    for cls, make, said in ((Keeps, lambda t: t.create("/fd"), "in use are fd (with 1 open files"),
                            (KeepsContexts, lambda t: t.mkdir("/inode"), "in use are inode (with a context)")):
        t = translator(cls).__enter__()
        make(t)
        assert said in failure(t)


class KeepsDirectories(Translator):
    """Open directories: of the root, whose inode is always in use."""

    def init(self):
        self.kept = []

    def opendir(self, frame, loc, fd, xdata):
        self.kept.append(fd)


def test_a_leaked_fd_of_what_is_in_use_anyway():
    t = translator(KeepsDirectories).__enter__()
    assert t.names() == []
    assert failure(t) == "leaked: / is open 1 times, though all files are closed: something keeps the Fd"
    t = translator(KeepsDirectories).__enter__()
    t.mkdir("/dir")
    loc = t.loc("/dir")
    assert t.names("/dir") == [] and loc.inode
    assert "leaked: dir (with 1 open files" in failure(t)


def test_what_the_test_keeps_is_no_leak():
    with translator(Nothing) as t:
        t.write("/file", b"data")
        loc, fd, file = t.loc("/file"), t.fd("/file"), t.open("/file")
        assert loc.inode == fd.inode and file.read() == b"data"


def test_the_tests_own_failure_comes_first():
    with pytest.raises(KeyError):
        with translator(Speaks) as t:
            t.create("/file")
            t.unlink("/file")
            raise KeyError


def test_an_answer_that_never_comes():
    class Forgets(Translator):
        async def unlink(self, frame, loc, xflags, xdata):
            self.future = glupy.Future()
            await self.future

    with translator(Forgets, patience=0.2, expect=["return the reply"]) as t:
        t.create("/file")
        with pytest.raises(TimeoutError, match="unlink /file: no answer"):
            t.unlink("/file")
        t.translator.future.set_result(None)  # or its graph could not go
