"""What asyncio can do in a process of GlusterFS's: `getfattr -n user.WAY` awaits the coroutine function WAY by glupy.asyncio()
and gives what it returns as JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import glupy
from glupy import Frame, GetxattrReply, Loc, Translator, Xdata

WAYS: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {}


def way(function: Callable[[], Coroutine[Any, Any, Any]]) -> Callable[[], Coroutine[Any, Any, Any]]:
    WAYS[function.__name__] = function
    return function


def signals() -> dict[str, str]:
    """What the process ignores and handles, and this thread blocks, as the kernel shows them."""
    status = dict(line.split(":\t", 1) for line in Path("/proc/thread-self/status").read_text().splitlines() if ":\t" in line)
    return {name: status[name] for name in ("SigIgn", "SigCgt", "SigBlk")}


@way
async def statuses() -> Any:
    """Of processes that end by themselves, and by a signal."""
    async def status(*words: str) -> int | None:
        return await (await asyncio.create_subprocess_exec(*words)).wait()

    killed = await asyncio.create_subprocess_exec("/bin/sleep", "1000")
    killed.kill()
    return await asyncio.gather(status("/bin/true"), *(status("/bin/sh", "-c", f"exit {number}") for number in range(1, 20)),
                                killed.wait())


@way
async def output() -> Any:
    process = await asyncio.create_subprocess_exec("/bin/cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    data, _ = await process.communicate(b"x" * 200_000)
    return [len(data), process.returncode]


@way
async def signals_as_before() -> Any:
    before = signals()
    await statuses()
    return [before, signals()]


@way
async def mask_of_child() -> Any:
    process = await asyncio.create_subprocess_exec("/bin/grep", "SigBlk", "/proc/self/status", stdout=asyncio.subprocess.PIPE)
    return (await process.communicate())[0].decode().split()[1]


@way
async def by_http() -> Any:
    """A server and a client, both on this loop."""
    import aiohttp
    from aiohttp import web

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=request.query_string)

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site: Any = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/"
        async with aiohttp.ClientSession() as session:
            async def fetch(number: int) -> str:
                async with session.get(f"{url}?{number}") as reply:
                    return await reply.text()
            return await asyncio.gather(*map(fetch, range(50)))
    finally:
        await runner.cleanup()


class Loops(Translator):
    async def getxattr(self, frame: Frame, loc: Loc, name: str | None, xdata: Xdata) -> Any:
        asked = (name or "").removeprefix("user.")
        if asked not in WAYS:
            return self.child.getxattr(loc, name, xdata)
        value = await glupy.asyncio(WAYS[asked]())
        return GetxattrReply({f"user.{asked}": json.dumps(value).encode()})
