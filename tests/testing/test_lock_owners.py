"""A task in the background owns the locks that it takes (features/locks), whatever else it waits for meanwhile."""

from __future__ import annotations

import errno
import fcntl
from collections.abc import Callable
from typing import Any

import glupy
from glupy import Flock, Loc, Translator


class Locker(Translator):
    async def lock(self, loc: Loc, type: int) -> int:
        reply = await self.child.inodelk("test", loc, fcntl.F_SETLK, Flock(l_type=type)).or_error()
        return 0 if reply.op_ret >= 0 else int(reply.op_errno)

    async def hold(self, loc: Loc, taken: glupy.Future[None], done: glupy.Future[None]) -> tuple[int, int]:
        first = await self.lock(loc, fcntl.F_WRLCK)
        taken.set_result(None)
        await done
        return first, await self.lock(loc, fcntl.F_UNLCK)


def test_tasks_keep_each_other_out(real_graph: Callable[..., Any]) -> None:
    with real_graph(Locker) as t:
        t.create("/file")
        loc = t.loc("/file")

        async def both() -> tuple[Any, ...]:
            taken: glupy.Future[None] = glupy.Future()
            done: glupy.Future[None] = glupy.Future()
            holding = t.translator.spawn(t.translator.hold(loc, taken, done))
            await taken
            meanwhile = await t.translator.spawn(t.translator.lock(loc, fcntl.F_WRLCK))
            done.set_result(None)
            held = await holding
            afterwards = [await t.translator.spawn(t.translator.hold(loc, glupy.Future(), done))]
            return meanwhile, held, *afterwards

        assert t.run(both()) == (errno.EAGAIN, (0, 0), (0, 0))
