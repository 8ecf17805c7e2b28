"""What a classic script can do wrong. A file named fail-HOW-in-FOP has the mistake HOW made in that fop, and
fail-HOW-after-FOP in its callback; every other call passes."""

from __future__ import annotations

import re
import threading
from typing import Any

from gluster.glupy import *

FOPS = ("lookup", "open", "create", "readv", "writev", "getxattr", "unlink", "readdirp")
NULL = POINTER(xlator_t)()

old_frames: list[Any] = []
copies: list[Any] = []


def name_of(value: Any) -> str:
    """Where the call goes to: the last name of its path."""
    if isinstance(value, POINTER(loc_t)):
        return bytes(value.contents.path or b"").decode()
    return str(path_of(value.contents.inode))


def nothing(wind: Any, unwind: Any, *_: Any) -> None:
    pass


def raises(wind: Any, unwind: Any, *_: Any) -> None:
    raise ValueError("the value is wrong")


def raises_after(wind: Any, unwind: Any, *_: Any) -> None:
    wind()
    raise ValueError("after the wind")


def os_error(wind: Any, unwind: Any, *_: Any) -> None:
    open("/nonexistent/file")


def exits(wind: Any, unwind: Any, *_: Any) -> None:
    raise SystemExit(3)


def recursion(wind: Any, unwind: Any, *_: Any) -> None:
    endless(0)


def endless(depth: int) -> int:
    # Without *args: Python 3.13 counts no recursion of a function that has them.
    return endless(depth + 1) + 1


def winds_twice(wind: Any, unwind: Any, *_: Any) -> None:
    wind()
    wind()


def unwinds_twice(wind: Any, unwind: Any, *_: Any) -> None:
    unwind()
    unwind()


def both(wind: Any, unwind: Any, *_: Any) -> None:
    wind()
    unwind()


def caught_twice(wind: Any, unwind: Any, *_: Any) -> None:
    unwind()
    try:
        wind()
    except RuntimeError as error:
        print(f"caught: {error}")


def keeps_frame(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    old_frames.append(frame)
    copies.append(cast(frame, POINTER(call_frame_t)))
    copies.append(pointer(frame.contents))
    unwind()


def old_frame(wind: Any, unwind: Any, *_: Any) -> None:
    dl.unwind_getxattr(old_frames[-1], 0, None, -1, 2, None, None)


def looks_at_old_frame(wind: Any, unwind: Any, *_: Any) -> None:
    print(old_frames[-1].contents.root.contents.unique)


def id_of_old_frame(wind: Any, unwind: Any, *_: Any) -> None:
    dl.get_id(old_frames[-1])


def copied_frame(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    refused = 0
    for copy in copies:
        # One whose memory this request's own frame has got passes for it: no other request's can be reached.
        if addressof(copy.contents) == addressof(frame.contents):
            refused += 1
            continue
        try:
            dl.unwind_getxattr(copy, 0, None, -1, 2, None, None)
        except ArgumentError:
            refused += 1
    raise ValueError(f"{refused} of {len(copies)} refused")


def no_frame(wind: Any, unwind: Any, *_: Any) -> None:
    dl.unwind_lookup(None, 0, None, -1, 2, None, None, None, None)


def null_frame(wind: Any, unwind: Any, *_: Any) -> None:
    dl.unwind_lookup(POINTER(call_frame_t)(), 0, None, -1, 2, None, None, None, None)


def own_frame(wind: Any, unwind: Any, *_: Any) -> None:
    dl.unwind_lookup(pointer(call_frame_t()), 0, None, -1, 2, None, None, None, None)


def wrong_type(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    dl.wind_lookup(frame, NULL, pointer(iatt_t()), None)


def number(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    dl.wind_lookup(frame, NULL, 4096, None)


def too_few(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    dl.wind_lookup(frame, NULL)


def none_argument(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    dl.wind_lookup(frame, NULL, None, None)


def empty_loc(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    dl.wind_lookup(frame, NULL, byref(loc_t(path=b"/x")), None)


def empty_dict(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    dl.wind_lookup(frame, NULL, byref(loc_t()), byref(dict_t()))


def inode_of(args: Any) -> Any:
    """One of GlusterFS's."""
    return next(arg.contents.inode for arg in args if isinstance(arg, (POINTER(loc_t), POINTER(fd_t))))


def empty_parent(wind: Any, unwind: Any, frame: Any, this: Any, *args: Any) -> None:
    dl.wind_lookup(frame, NULL, byref(loc_t(inode=inode_of(args), parent=pointer(inode_t()))), None)


def empty_inode_of_fd(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    dl.wind_readv(frame, NULL, byref(fd_t(inode=pointer(inode_t()))), 10, 0, 0, None)


def writes(frame: Any, args: Any, vector: Any, count: int, iobref: Any) -> None:
    fd = dl.fd_create(inode_of(args), 1)
    try:
        dl.wind_writev(frame, NULL, fd, vector, count, 0, 0, iobref, None)
    finally:
        dl.fd_unref(fd)


def own_iobref(wind: Any, unwind: Any, frame: Any, this: Any, *args: Any) -> None:
    writes(frame, args, *payload(this, b"data")[:2], byref(iobref_t()))


def null_base(wind: Any, unwind: Any, frame: Any, this: Any, *args: Any) -> None:
    writes(frame, args, byref(iovec_t(None, 100)), 1, None)


def long_count(wind: Any, unwind: Any, frame: Any, this: Any, *args: Any) -> None:
    writes(frame, args, (iovec_t * 2)(), 5, None)


def long_piece(wind: Any, unwind: Any, frame: Any, this: Any, *args: Any) -> None:
    writes(frame, args, byref(iovec_t(cast(create_string_buffer(16), c_void_p), 17)), 1, None)


def empty_dirent(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    dl.unwind_readdirp(frame, 0, None, 1, 0, byref(gf_dirent_t()), None)


def wild_path(wind: Any, unwind: Any, frame: Any, this: Any, *args: Any) -> None:
    dl.wind_lookup(frame, NULL, byref(loc_t(inode=inode_of(args), path=cast(64, c_char_p))), None)


def set_field(wind: Any, unwind: Any, frame: Any, this: Any, *args: Any) -> None:
    inode_of(args).contents.table = POINTER(inode_table_t)()


def strange_child(wind: Any, unwind: Any, frame: Any, this: Any, loc: Any, *_: Any) -> None:
    other = xlator_t()
    dl.wind_ipc(frame, pointer(other), 1, None)


def no_callback(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    dl.wind_ipc(frame, NULL, 1, None)


def another_fop(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    dl.unwind_ipc(frame, 0, None, 0, 0, None)


def success_of_none(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    unwind(0, 0)


def errno_0(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    unwind(-1, 0)


def errno_512(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    unwind(-1, 512)


def late_thread(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    def late() -> None:
        answered.wait()
        try:
            unwind()
        except BaseException as error:
            print(f"too late: {type(error).__name__}: {error}")

    threading.Thread(target=late, daemon=True).start()


def thread_in_time(wind: Any, unwind: Any, frame: Any, *_: Any) -> None:
    thread = threading.Thread(target=wind)
    thread.start()
    thread.join()


answered = threading.Event()
MISTAKES = {name.replace("_", "-"): value for name, value in list(globals().items())
            if callable(value) and getattr(value, "__code__", None) and value.__code__.co_varnames[:2] == ("wind", "unwind")}


def mistake_in(text: str, where: str, name: str) -> Any:
    found = re.search(rf"fail-([a-z0-9-]+)-{where}-{name}$", text)
    return MISTAKES[found[1]] if found else None


def fop(name: str) -> Any:
    def method(self: Any, frame: Any, this: Any, *args: Any) -> int:
        def wind() -> None:
            getattr(dl, f"wind_{name}")(frame, NULL, *args)

        path = next(name_of(arg) for arg in args if isinstance(arg, (POINTER(loc_t), POINTER(fd_t))))
        if path.endswith("let-threads-go"):
            answered.set()
        self.paths[dl.get_id(frame)] = path
        mistake = mistake_in(path, "in", name)
        if mistake:
            mistake(wind, unwinder(name, frame, this), frame, this, *args)
        else:
            wind()
        return 0

    method.__name__ = f"{name}_fop"
    return method


def unwinder(name: str, frame: Any, this: Any) -> Any:
    def unwind(op_ret: int = -1, op_errno: int = 39) -> None:
        call = getattr(dl, f"unwind_{name}")
        call(frame, 0, this, op_ret, op_errno, *(0 if kind is c_int32 else None for kind in call.argtypes[5:]))

    return unwind


def callback(name: str) -> Any:
    def method(self: Any, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, *values: Any) -> int:
        def unwind(op_ret: int = op_ret, op_errno: int = op_errno) -> None:
            getattr(dl, f"unwind_{name}")(frame, cookie, this, op_ret, op_errno, *values)

        def wind() -> None:
            dl.wind_statfs(frame, NULL, None, None)

        mistake = mistake_in(self.paths.pop(dl.get_id(frame), ""), "after", name)
        if mistake:
            mistake(wind, unwind, frame, this, *values)
        else:
            unwind()
        return 0

    method.__name__ = f"{name}_cbk"
    return method


class xlator(Translator):
    def __init__(self, c_this: int) -> None:
        self.paths: dict[int, str] = {}
        Translator.__init__(self, c_this)

    for _name in FOPS:
        locals()[f"{_name}_fop"] = fop(_name)
        locals()[f"{_name}_cbk"] = callback(_name)
