"""What processes that are started in one of GlusterFS's have of it: not the signals that its threads block, and not itself.

The threads of a process of GlusterFS's block nearly all signals, since one of them waits for those that are meant for the
process. They must go on doing so. So what Python code sees as its thread's signal mask, and changes, is only the mask that a
process started by it gets; at first it blocks nothing.
"""

from __future__ import annotations

import _posixsubprocess
import functools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from glupy import _core
from glupy.processes import own

_fork_exec = _posixsubprocess.fork_exec
_pthread_sigmask = signal.pthread_sigmask


class _Mask(threading.local):
    blocked: frozenset[int] = frozenset()


_mask = _Mask()


def install() -> None:
    """In Python that glupy has started; in each interpreter."""
    _posixsubprocess.fork_exec = fork_exec
    if "subprocess" in sys.modules:
        sys.modules["subprocess"]._fork_exec = fork_exec  # type: ignore[attr-defined]
    os.posix_spawn = _with_mask(os.posix_spawn)
    os.posix_spawnp = _with_mask(os.posix_spawnp)
    os.system = system
    os.fork = _if_alone(os.fork)
    os.forkpty = _if_alone(os.forkpty)
    signal.pthread_sigmask = pthread_sigmask
    os.register_at_fork(after_in_child=_in_child)


def pthread_sigmask(how: int, mask: Iterable[int]) -> set[signal.Signals | int]:
    """signal.pthread_sigmask(): of the mask that processes get which this thread starts."""
    wanted, before = frozenset(map(int, mask)), _mask.blocked
    if how == signal.SIG_SETMASK:
        _mask.blocked = wanted
    elif how == signal.SIG_BLOCK:
        _mask.blocked = before | wanted
    elif how == signal.SIG_UNBLOCK:
        _mask.blocked = before - wanted
    else:
        raise OSError(22, "pthread_sigmask(): how is SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK")
    if outside := wanted - signal.valid_signals():
        _mask.blocked = before
        raise ValueError(f"pthread_sigmask(): {min(outside)} is no signal")
    return {_named(number) for number in before}


def _named(number: int) -> signal.Signals | int:
    try:
        return signal.Signals(number)
    except ValueError:
        return number


def fork_exec(*args: Any) -> int:
    """_posixsubprocess.fork_exec(), by which subprocess and multiprocessing start programs."""
    own.mind()
    if args[-2] is not None:
        _refuse_among_interpreters("preexec_fn")
    pid: int = _core._with_mask(_mask.blocked, _fork_exec, *args)
    return pid


def _with_mask(spawn: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(spawn)
    def spawned(*args: Any, **kwargs: Any) -> int:
        return spawn(*args, **{"setsigmask": _mask.blocked, **kwargs})

    return spawned


def system(command: Any) -> int:
    """os.system(): the shell's exit status as os.wait() gives it."""
    import subprocess  # what starts no program need not have it

    status = subprocess.call(command, shell=True, close_fds=False)
    return status << 8 if status >= 0 else -status


def _if_alone(fork: Callable[[], Any]) -> Callable[[], Any]:
    @functools.wraps(fork)
    def forked() -> Any:
        _refuse_among_interpreters(f"os.{fork.__name__}()")
        return fork()

    return forked


def _refuse_among_interpreters(what: str) -> None:
    if _core._interpreters() > 1:
        raise RuntimeError(f"{what} cannot be used in a process in which several interpreters run (option interpreters): the "
                           "child would die. Start a program with subprocess instead, or a multiprocessing context of "
                           "'spawn' or 'forkserver'")


def _in_child() -> None:
    """os.fork() has made this process."""
    handled = [number for number in signal.valid_signals() if callable(signal.getsignal(number))]
    _core._forked(_mask.blocked, handled)
    signal.pthread_sigmask = _pthread_sigmask
    signal.signal(signal.SIGINT, signal.default_int_handler)
