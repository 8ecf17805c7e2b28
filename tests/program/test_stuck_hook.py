"""Issue 11, item 7: a hook that never returns keeps no later volume waiting for ever; the failure names it, and it may return."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from support.programs import Program
from support.volfiles import Layer, layer
from support.waiting import wait_until

#: Each waits for somebody to open a pipe for writing, which is what the test does when it is to return.
SOURCE = """
from glupy import Event, Translator

FOLDER = {folder!r}


def hang():
    with open(FOLDER + "/gate") as gate:
        gate.read()


class Author(Translator):
    def init(self):
        if {hook!r} == "init":
            hang()
            open(FOLDER + "/returned", "w").write(type(self._instance).__name__)
            self.name_of_child = self.child.name

    def notify(self, event, data):
        if {hook!r} == "notify" and event == Event.CHILD_UP:
            hang()
            open(FOLDER + "/returned", "w").close()
"""


def volume(folder: Path, hook: str) -> list[Layer]:
    (folder / "author.py").write_text(SOURCE.format(folder=str(folder), hook=hook))
    return [layer("sink", "glupytest/sink"), layer("author", "features/glupy", module="author")]


def start_again(program: Program) -> None:
    """The hook has returned, and Python's main thread will be free in a moment. Each failure leaves threads of libgfapi's behind."""
    for attempt in range(50):
        if program.start(f"again{attempt}", OTHER) == "done":
            program.ask("stat", f"again{attempt}", "/file")
            program.ask("stop", f"again{attempt}")
            return
        time.sleep(0.1)
    raise AssertionError(program.text("again49"))


OTHER = [layer("sink", "glupytest/sink"), layer("talks", "user/talks")]
EXPECTED = (r"Python's main thread", r"Initializ|initializ|activat|0-gfapi|0-glusterfs|graph\.c|xlator\.c|glfs", r"0-program")


@pytest.mark.long
@pytest.mark.parametrize(("hook", "started"), [("notify", True), ("init", False)])
def test_a_later_volume_fails_and_says_whose_fault_it_is(trusted: Path, hook: str, started: bool) -> None:
    os.mkfifo(trusted / "gate")
    with Program(folder=trusted, expected=EXPECTED) as program:
        assert (program.start("stuck", volume(trusted, hook)) == "done") == started
        if not started:  # its own init() has had a minute
            assert re.search(r"0-author: Python's main thread, .* has been at init\(\) of author for \d+ seconds, so this translator "
                             r"is not loaded\nStack.*in hang", program.text("stuck"), re.S)
        assert program.start("later", OTHER).startswith("failed")
        assert re.search(rf"0-talks: Python's main thread, which loads translators and calls their hooks, has been at {hook}\(\) "
                         r"of author for \d+ seconds, so this translator is not loaded: try again when that has returned\n"
                         r"Stack.*author\.py\", line \d+, in hang", program.text("later"), re.S)
        os.close(os.open(trusted / "gate", os.O_WRONLY))
        wait_until(lambda: (trusted / "returned").exists(), "the hook's return")
        start_again(program)
        if started:
            assert program.ask("stat", "stuck", "/file") == "done"
            assert program.ask("stop", "stuck") == "done"


def test_a_volume_ends_while_its_hook_hangs(trusted: Path) -> None:
    """glfs_fini() comes back, and the hook finds its graph gone when it goes on."""
    os.mkfifo(trusted / "gate")
    with Program(folder=trusted, expected=(*EXPECTED, "0-author: ", r"0-sink: ")) as program:
        assert program.start("stuck", volume(trusted, "notify")) == "done"
        assert program.ask("stop", "stuck") == "done"
        assert "so fini() is not called" in program.text("stuck")
        os.close(os.open(trusted / "gate", os.O_WRONLY))
        wait_until(lambda: (trusted / "returned").exists(), "the hook's return")
        start_again(program)
