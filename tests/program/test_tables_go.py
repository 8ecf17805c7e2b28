"""Issue 11, item 3: whatever Python holds of an inode table is given up before GlusterFS frees that, and a garbage collection
between the end of the table and fini() finds nothing to give up."""

from __future__ import annotations

from pathlib import Path

from support.programs import Program
from support.volfiles import Layer, layer

SOURCE = """
import threading
from glupy import Dirent, Dirents, Fd, Loc, Translator


class Keeper:
    '''What is kept goes by a garbage collection only.'''

    def __init__(self, *things):
        self.me, self.things = self, things


class Author(Translator):
    inode_ctx = fd_ctx = dict

    def init(self):
        self.kept, self.busy = [], threading.Event()

    async def lookup(self, frame, loc, xdata):
        reply = await self.child.lookup(loc, xdata)
        self.keep(loc, reply)
        for number in range(200):
            inode = loc.inode.table.new()
            Keeper(inode, Fd.create(inode), Loc("/x", inode=inode), Dirents([Dirent("x", inode=inode)]))
        fd = Fd.create(loc.inode)
        fd.ctx["cycle"] = loc.inode.ctx["cycle"] = Keeper(fd, loc.inode)
        Keeper(await self.child.readdirp(fd, 4096, 0), await self.child.opendir(loc, fd))
        if not self.busy.is_set():
            self.busy.set()
            self.every(0.001, self.work)
            threading.Thread(target=self.work, daemon=True).start()
        return reply

    def keep(self, loc, reply):
        '''For as long as the process lives, and in a cycle that nobody refers to.'''
        vars(__builtins__ if not isinstance(__builtins__, dict) else threading).setdefault("kept", []).append(
            (loc, loc.inode, reply, reply.inode))
        Keeper(loc, reply)

    def work(self):
        '''A thread that stays inside Python for long, and gives up things meanwhile.'''
        loc = threading.kept[0][0] if hasattr(threading, "kept") else None
        while True:
            try:
                inode = loc.inode.table.new()
                Keeper(inode, Fd.create(inode))
                self.itable.find(inode.gfid)
                loc.inode.link(loc.inode, "x", None)
            except ReferenceError:
                return
            except Exception:
                pass
"""


def layers(folder: Path) -> list[Layer]:
    (folder / "author.py").write_text(SOURCE)
    return [layer("sink", "glupytest/sink"), layer("low", "features/glupy", module="author"),
            layer("author", "features/glupy", module="author")]


def test_no_reference_to_what_is_gone_is_given_up(trusted: Path) -> None:
    with Program(folder=trusted, tombs=True, expected=(r"\[inode\.c:", "0-author: ", "0-low: ")) as program:
        for turn in range(3):
            assert program.start(f"volume{turn}", layers(trusted)) == "done"
            for number in range(5):
                assert program.ask("stat", f"volume{turn}", f"/file{number}") == "done"
            assert program.ask("stop", f"volume{turn}") == "done"
        assert program.end() == 0
        assert program.disturbed() == 0
