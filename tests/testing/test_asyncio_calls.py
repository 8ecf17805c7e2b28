"""glupy.asyncio(): coroutines of asyncio's, awaited in fops and tasks. A process of its own is the server that they ask."""

from __future__ import annotations

import asyncio
import errno
import signal
import subprocess
import sys
import threading
import time

import aiohttp
import glupy
import pytest
from glupy import ReadlinkReply, Translator
from glupy.api import asyncio_calls
from glupy.testing import translator

#: Seconds for what is there at once, or never.
PATIENCE = 60

SERVER = """
import asyncio
from aiohttp import web

async def answer(request):
    if request.path == "/slow":
        print("slow", flush=True)
        await asyncio.sleep(1000)
    return web.Response(text=request.path)

async def serve():
    app = web.Application()
    app.router.add_route("GET", "/{any}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(1000)

asyncio.run(serve())
"""


class Server:
    """HTTP on a free port of loopback: it answers with the path, and never where that is /slow."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-Ic", SERVER], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"

    def asked(self, count):
        """Until so many have asked for /slow."""
        for _ in range(count):
            assert self.process.stdout.readline() == "slow\n"

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


@pytest.fixture
def server():
    server = Server()
    yield server
    if server.process.poll() is None:
        server.kill()


class Asks(Translator):
    """readlink answers what the test's coroutine function gives for the path."""

    def init(self):
        self.session = None

    async def readlink(self, frame, loc, size, xdata):
        return ReadlinkReply(str(await glupy.asyncio(self.ask(loc.path.lstrip("/")))), None)

    async def ask(self, path):
        raise NotImplementedError


class Fetches(Asks):
    """By one session of aiohttp's for all requests."""

    async def ask(self, path):
        if self.session is None:
            self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        async with self.session.get(self.server.url(path)) as reply:
            return (await reply.read()).decode()

    def fini(self):
        if self.session:
            asyncio.run_coroutine_threadsafe(self.session.close(), glupy.asyncio_loop()).result(PATIENCE)


def links(t, *names):
    for name in names:
        t.symlink("there", f"/{name}")
    return [t.loc(f"/{name}") for name in names]


async def together(t, loc, count):
    return await glupy.gather(*[t.child.readlink(loc, 4096).or_error() for _ in range(count)])


def test_a_thousand_at_once(server):
    with translator(Fetches, patience=PATIENCE) as t:
        t.translator.server = server
        (loc,) = links(t, "fast")
        replies = t.run(together(t, loc, 1000))
        assert {reply.path for reply in replies} == {"/fast"} and len(replies) == 1000


def test_the_server_is_killed_with_a_thousand_inside(server):
    """Each is answered, and with an errno."""
    with translator(Fetches, patience=PATIENCE, expect=[r"readlink of '/slow' failed"]) as t:
        t.translator.server = server
        fast, slow = links(t, "fast", "slow")
        asking = t.start(t.run, together(t, slow, 1000))
        server.asked(200)
        server.kill()
        replies = asking.result()
        assert len(replies) == 1000 and {reply.op_errno for reply in replies} <= {errno.EIO, errno.ECONNREFUSED,
                                                                                  errno.ECONNRESET, errno.EPIPE}
        (reply,) = t.run(together(t, fast, 1))
        assert reply.op_errno == errno.ECONNREFUSED


def test_the_graph_ends_with_a_thousand_inside(server):
    """All get ECANCELED, before it goes; and the coroutines end, too."""
    with translator(Fetches, patience=PATIENCE) as t:
        t.translator.server = server
        (slow,) = links(t, "slow")
        asking = t.start(t.run, together(t, slow, 1000))
        server.asked(200)
        asyncio_calls.graph_goes(t.translator._instance)  # the kit itself ends no graph before its calls are back
        assert {reply.op_errno for reply in asking.result()} == {errno.ECANCELED}
    until = time.monotonic() + PATIENCE
    while any("readlink" in task.get_name() for task in asyncio.all_tasks(glupy.asyncio_loop())):
        assert time.monotonic() < until, "coroutines of a graph that has gone are left"
        time.sleep(0.01)


class Scripted(Asks):
    """What the test puts there as `does`, a coroutine function."""

    async def ask(self, path):
        return await self.does(path)


@pytest.fixture
def t():
    with translator(Scripted, patience=PATIENCE) as t:
        t.symlink("there", "/link")
        yield t


def test_values_and_exceptions_arrive(t):
    async def upper(path):
        await asyncio.sleep(0)
        return path.upper()

    async def denied(path):
        await asyncio.sleep(0)
        raise PermissionError(errno.EACCES, "no")

    t.translator.does = upper
    assert t.readlink("/link") == "LINK"
    t.translator.does = denied
    with pytest.raises(PermissionError):
        t.readlink("/link")


def test_one_loop_on_a_thread_of_its_own(t):
    async def where(path):
        return f"{threading.current_thread().name} {asyncio.get_running_loop() is glupy.asyncio_loop()}"

    t.translator.does = where
    assert t.readlink("/link") == t.readlink("/link") == "glupy.asyncio True"
    assert [thread.name for thread in threading.enumerate()].count("glupy.asyncio") == 1


def test_the_request_is_carried(t):
    """Into tasks and threads that the coroutine begins, too; each has its own."""
    async def for_whom(path):
        inside = await asyncio.create_task(asyncio.to_thread(glupy.asyncio_request))
        assert inside == glupy.asyncio_request()
        return f"{inside.layer} {inside.op} {inside.path} {inside.unique > 0}"

    t.symlink("there", "/other")
    t.translator.does = for_whom
    assert t.readlink("/link") == "scripted readlink /link True"
    assert t.readlink("/other") == "scripted readlink /other True"
    assert glupy.asyncio_request() is None
    assert t.run(glupy.asyncio(of_task()))[1:] == (None, None, None)


async def of_task():
    return glupy.asyncio_request()


class Limited(Scripted):
    async def readlink(self, frame, loc, size, xdata):
        async with glupy.timeout(1):
            return await super().readlink(frame, loc, size, xdata)


def runs_into_the_limit(t, waits):
    """While the coroutine is at work."""
    begun = threading.Event()

    async def does(path):
        begun.set()
        await waits()

    t.symlink("there", "/link")
    t.translator.does = does
    asking = t.start(t.readlink, "/link")
    assert begun.wait(PATIENCE)
    t.clock.wait(1)
    t.clock.advance(1)
    with pytest.raises(TimeoutError):
        asking.result()


def test_a_time_limit_cancels():
    cancelled = threading.Event()

    async def waits():
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with translator(Limited, patience=PATIENCE) as t:
        runs_into_the_limit(t, waits)
        assert cancelled.wait(PATIENCE)


def test_a_time_limit_closes_what_has_not_begun():
    """The loop is at something else, and the request does not wait for that."""
    busy, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    def block():
        busy.set()
        assert go_on.wait(PATIENCE)

    async def never(path):
        raise AssertionError("it was begun")

    with translator(Limited, patience=PATIENCE) as t:
        t.symlink("there", "/link")
        t.translator.does = never
        glupy.asyncio_loop().call_soon_threadsafe(block)
        assert busy.wait(PATIENCE)
        t.clock.jump()
        with pytest.raises(TimeoutError):
            t.readlink("/link")
        go_on.set()
        glupy.asyncio_loop().call_soon_threadsafe(closed.set)
        assert closed.wait(PATIENCE)


def test_a_cancelled_task_cancels(t):
    begun, cancelled = threading.Event(), threading.Event()

    async def waits():
        begun.set()
        try:
            await asyncio.sleep(1000)
        finally:
            cancelled.set()

    async def awaits():
        await glupy.asyncio(waits())

    task = t.translator.spawn(awaits())
    assert begun.wait(PATIENCE) and task.cancel() and cancelled.wait(PATIENCE)


def test_what_fails_after_it_was_given_up_is_logged():
    async def waits():
        try:
            await asyncio.sleep(1000)
        finally:
            raise ZeroDivisionError("too late")

    with translator(Limited, patience=PATIENCE, expect=["given up by who awaited it, failed"]) as t:
        runs_into_the_limit(t, waits)
        until = time.monotonic() + PATIENCE
        while "ZeroDivisionError: too late" not in t.log:
            assert time.monotonic() < until
            time.sleep(0.01)


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt])
def test_what_would_end_a_program_does_not_end_the_loop(end):
    async def ends(path):
        raise end("now")

    async def fine(path):
        return path

    with translator(Scripted, patience=PATIENCE, expect=["readlink of '/link' failed", "would end the loop"],
                    keeps=1) as t:  # by the log record that pytest has of it
        t.symlink("there", "/link")
        t.translator.does = ends
        with pytest.raises(OSError, match="Input/output"):
            t.readlink("/link")
        glupy.asyncio_loop().call_soon_threadsafe(glupy.asyncio_loop().stop)
        t.translator.does = fine
        assert t.readlink("/link") == "link"


def test_what_cannot_be_run(t):
    async def nothing():
        pass

    async def wrong(what):
        return await glupy.asyncio(what)

    with pytest.raises(TypeError, match="expected a coroutine, not 3"):
        t.run(wrong(3))
    coroutine = glupy.asyncio(nothing())
    with pytest.raises(RuntimeError, match="only in a coroutine that glupy runs"):
        coroutine.send(None)


def test_a_wind_cannot_be_awaited_there(t):
    async def winds(path):
        await glupy.sleep(0)

    async def ask():
        await glupy.asyncio(winds(""))

    with pytest.raises(RuntimeError, match="Task got bad yield"):
        t.run(ask())


class Offloaded(Scripted):
    @glupy.offload
    def readlink(self, frame, loc, size, xdata):
        return ReadlinkReply(glupy.wait(glupy.asyncio(self.ask(loc.path))), None)


def test_in_a_method_that_may_block():
    async def upper(path):
        await asyncio.sleep(0)
        return path.upper()

    with translator(Offloaded, patience=PATIENCE) as t:
        t.symlink("there", "/link")
        t.translator.does = upper
        assert t.readlink("/link") == "/LINK"


def test_not_in_a_forked_child():
    """In a program of its own: a fork of the tests' process, in which a hundred threads may hold locks, can wait for ever."""
    code = ("import os, asyncio, glupy; loop = glupy.asyncio_loop()\n"
            "asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result()\n"
            "if child := os.fork():\n"
            "    os.waitpid(child, 0)\n"
            "else:\n"
            "    try:\n"
            "        glupy.asyncio_loop()\n"
            "    except RuntimeError as error:\n"
            "        os.write(1, str(error).encode())\n"
            "    finally:\n"
            "        os._exit(0)\n")
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, timeout=PATIENCE, check=True)
    assert "has not its thread" in done.stdout


def test_not_before_it_is_wanted():
    """Neither asyncio nor the thread; and a program ends with the loop at work."""
    code = ("import sys, threading, glupy; before = 'asyncio' in sys.modules, threading.active_count()\n"
            "import asyncio; loop = glupy.asyncio_loop()\n"
            "asyncio.run_coroutine_threadsafe(asyncio.sleep(1000), loop); print(*before, threading.active_count())")
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, timeout=PATIENCE, check=True)
    assert done.stdout == "False 1 2\n"
