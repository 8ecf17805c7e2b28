"""One handler for all fops, which passes them on in the way that `how` names."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from glupy import Call, Frame, Option, Translator


class AnyPass(Translator):
    how = Option(str, default="awaited", choices=("awaited", "looked_into", "given", "tail", "nothing", "mixed"))

    def init(self) -> None:
        self.seen: Counter[str] = Counter()

    def any_fop(self, frame: Frame, call: Call) -> Any:
        assert frame.op == call.name
        self.seen[call.name] += 1
        return getattr(self, f"_{self.how}")(frame, call)

    async def _awaited(self, frame: Frame, call: Call) -> Any:
        return await call.wind()

    async def _looked_into(self, frame: Frame, call: Call) -> Any:
        """Every value of the call and of the reply becomes a Python object and goes back as one."""
        self.log.debug("%r %r %r %r %r %r", call, call.args, call.path, call.gfid, call.inode, frame)
        reply = await call.wind(*call.args)
        values = {field: getattr(reply, field) for field in reply.__match_args__}
        return type(reply)(**values, op_ret=reply.op_ret)

    async def _given(self, frame: Frame, call: Call) -> Any:
        return await call.wind(child=self.children[0], **{name: call[name] for name in call})

    def _tail(self, frame: Frame, call: Call) -> Any:
        return call.wind()

    def _mixed(self, frame: Frame, call: Call) -> Any:
        return random.choice((self._awaited, self._looked_into, self._given, self._tail, self._nothing))(frame, call)

    def _nothing(self, frame: Frame, call: Call) -> None:
        pass
