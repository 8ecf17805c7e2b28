"""Whatever a classic script does wrong, the application gets an errno at once, the log says what, and the mount serves."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from support.attempts import attempt
from support.mounts import Mount
from support.volfiles import layer
from support.waiting import wait_until
from test_failures import CALLS, FUSE, prepare, serves

OURS = r"0-fails: fails: \w+ of '[^']*' failed\n"
ERRNO = "RuntimeError|TypeError|ValueError|ReferenceError"


@pytest.fixture(scope="module")
def shared() -> Iterator[Mount]:
    with Mount([layer("fails", "features/glupy", module_name="classic_fails")], expected=(*FUSE, OURS)) as mount:
        yield mount


def said(mount: Mount, fop: str, path: str) -> list[str]:
    """What the log has about the failure of this fop on this path."""
    head = f" 0-fails: fails: {fop} of '/{path}' failed\n"
    return [text for _, text in mount.entries() if head in text and not text.startswith("The message")]


#: By mistake: what the log says; the answer is EIO.
IN_FOP = {
    "nothing": "RuntimeError: FOP_fop (File \"{file}\", line {line}) returned without having wound or unwound: it has to "
               "call dl.wind_FOP or dl.unwind_FOP",
    "raises": "ValueError: the value is wrong",
    "raises-after": "ValueError: after the wind",
    "os-error": "FileNotFoundError: [Errno 2] No such file or directory",
    "exits": "SystemExit: 3",
    "recursion": "RecursionError: maximum recursion depth exceeded",
    "winds-twice": "RuntimeError: wind_FOP: the call has wound already, and may do so once",
    "unwinds-twice": "RuntimeError: unwind_FOP: the call has unwound already, and may do so once",
    "both": "RuntimeError: unwind_FOP: the call has wound already, and may do so once",
    "caught-twice": "RuntimeError: wind_FOP: the call has unwound already, and may do so once",
    "no-frame": "TypeError: expected the frame that the fop was given, not None",
    "null-frame": "ReferenceError: this frame's request has ended",
    "own-frame": "ReferenceError: this is a copy of a frame whose request has ended",
    "wrong-type": "TypeError: expected LP_loc_t instance instead of LP_iatt_t",
    "number": "TypeError: expected LP_loc_t instance instead of int",
    "too-few": "TypeError: this function takes at least 4 arguments (2 given)",
    "none-argument": "TypeError: wind_lookup: loc is None",
    "empty-loc": "ValueError: wind_lookup: loc has no inode",
    "empty-dict": "ValueError: wind_lookup: ",
    "empty-parent": "ValueError: wind_lookup: loc.parent is no inode of GlusterFS's",
    "empty-inode-of-fd": "ValueError: wind_readv: fd is no fd of GlusterFS's",
    "own-iobref": "ValueError: wind_writev: iobref is none of GlusterFS's",
    "null-base": "ValueError: wind_writev: vector[0] has no iov_base, but an iov_len",
    "long-count": "ValueError: wind_writev: count is 5, but vector has 2",
    "long-piece": "ValueError: wind_writev: vector[0] says that there are 17 bytes: it has 16",
    "wild-path": "ValueError: wind_lookup: loc.path points to where nothing can be read",
    "set-field": "AttributeError: inode_t.table: this inode_t is GlusterFS's own: what is in it cannot be set",
    "strange-child": "ValueError: wind_ipc: this is no child of fails",
    "no-callback": "RuntimeError: wind_ipc: there is no ipc_cbk to take its reply",
    "another-fop": "TypeError: unwind_ipc: this frame is one of FOP: dl.unwind_FOP",
    "errno-0": "ValueError: unwind_FOP: op_errno is 0: an errno is between 1 and 511",
    "errno-512": "ValueError: unwind_FOP: op_errno is 512: an errno is between 1 and 511",
    "late-thread": "RuntimeError: FOP_fop (File ",
}


def checked(mount: Mount, how: str, where: str, fop: str, sentence: str) -> None:
    name = f"fail-{how}-{where}-{fop}"
    assert attempt(mount, CALLS[fop], prepare(mount, name, fop)) == "EIO", name
    entries = said(mount, fop, name)
    # The kernel asks again for a lookup that failed, and for what it failed to read ahead.
    assert 1 <= len(entries) <= (2 if fop in ("lookup", "readv") else 1), (name, entries)
    wanted = re.escape(sentence.replace("FOP", fop)).replace(r"\{file\}", ".*classic_fails.py")
    assert re.search(wanted.replace(r"\{line\}", r"\d+"), entries[0]), entries[0]
    if "returned without" not in sentence and "(File" not in sentence:
        assert 'classic_fails.py", line ' in entries[0], entries[0]


@pytest.mark.parametrize("how", IN_FOP)
def test_in_a_fop(shared: Mount, how: str) -> None:
    for fop in CALLS:
        checked(shared, how, "in", fop, IN_FOP[how])
    serves(shared)


def test_empty_list(shared: Mount) -> None:
    """A dirent of the script's own that is no list."""
    checked(shared, "empty-dirent", "in", "readdirp", "ValueError: unwind_readdirp: entries has a list that was not set up")
    serves(shared)


AFTER_FOP = {
    "nothing": "RuntimeError: FOP_cbk (File \"{file}\", line {line}) returned without having wound or unwound",
    "raises": "ValueError: the value is wrong",
    "exits": "SystemExit: 3",
    "unwinds-twice": "RuntimeError: unwind_FOP: the call has unwound already, and may do so once",
    "raises-after": "TypeError: wind_statfs: loc is None",
    "no-frame": "TypeError: expected the frame that the fop was given, not None",
    "another-fop": "TypeError: unwind_ipc: this frame is one of FOP",
    "errno-512": "ValueError: unwind_FOP: op_errno is 512",
}


@pytest.mark.parametrize("how", AFTER_FOP)
def test_in_a_callback(shared: Mount, how: str) -> None:
    for fop in CALLS:
        checked(shared, how, "after", fop, AFTER_FOP[how])
    serves(shared)


@pytest.mark.parametrize("fop", CALLS)
def test_success_of_none(shared: Mount, fop: str) -> None:
    """op_ret 0 and None for all that a success carries."""
    name = f"fail-success-of-none-in-{fop}"
    path = prepare(shared, name, fop)
    result = attempt(shared, CALLS[fop], path)
    if fop == "readv":  # nothing was read: that needs an iatt still
        assert result == "EIO"
    if fop != "getxattr":
        assert result == "EIO", result
    assert re.search(rf"TypeError: unwind_{fop}: \w+ is None", said(shared, fop, name)[0])
    serves(shared)


def test_old_frame(shared: Mount) -> None:
    """A frame that was kept: no call takes it, nothing follows it, copies of it reach no other request."""
    keeper = prepare(shared, "fail-keeps-frame-in-getxattr", "getxattr")
    assert attempt(shared, CALLS["getxattr"], keeper) == "ENOTEMPTY"
    for how, sentence in {
        "old-frame": "ReferenceError: this frame's request has ended",
        "looks-at-old-frame": "ValueError: NULL pointer access",
        "id-of-old-frame": "ReferenceError: this frame's request has ended",
        "copied-frame": "ValueError: 2 of 2 refused",
    }.items():
        for fop in CALLS:
            checked(shared, how, "in", fop, sentence)
    serves(shared)


def test_threads(shared: Mount) -> None:
    """A thread of the script's may wind while its request's function runs; afterwards it is told that it is too late."""
    path = prepare(shared, "fail-thread-in-time-in-open", "open")
    assert attempt(shared, CALLS["open"], path) is None
    attempt(shared, os.stat, shared.path / "let-threads-go")
    wait_until(lambda: "too late: " in shared.text(), "the threads")
    assert "this frame's request has ended" in shared.text()
    serves(shared)


def test_on_error_pass() -> None:
    """With option on-error pass, what fails before it has wound passes on."""
    volume = layer("fails", "features/glupy", module_name="classic_fails", on_error="pass")
    with Mount([volume], expected=(*FUSE, OURS)) as mount:
        for fop in ("getxattr", "lookup", "create"):
            for how in ("raises", "raises-after", "nothing", "both"):
                path = prepare(mount, f"fail-{how}-in-{fop}", fop)
                assert attempt(mount, CALLS[fop], path) not in ("EIO", "ENOTCONN")
        path = prepare(mount, "fail-raises-after-getxattr", "getxattr")
        assert attempt(mount, CALLS["getxattr"], path) == "EIO"
        serves(mount)
