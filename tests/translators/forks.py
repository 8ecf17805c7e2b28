"""Starts processes in all the ways that Python has: `getfattr -n user.WAY` calls the function WAY on a thread of glupy's, and
gives what it returns as JSON."""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import glupy
from glupy import GetxattrReply, Loc, Translator

SLEEPER = ("/bin/sleep", "1000")
STATUS = ("/bin/grep", "SigBlk", "/proc/self/status")
LONG = 60  # seconds, for what is there at once or never

WAYS: dict[str, Callable[[], Any]] = {}


def way(function: Callable[[], Any]) -> Callable[[], Any]:
    WAYS[function.__name__] = function
    return function


def mask(status: str) -> str:
    """The signals that a process or thread blocks, as the kernel shows them."""
    return next(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk:"))


def of_child(function: Callable[[], Any]) -> Any:
    """What a function returns in a child of os.fork()."""
    reads, writes = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.write(writes, json.dumps(function()).encode())
        finally:
            os._exit(0)
    os.close(writes)
    with open(reads) as file:
        text = file.read()
    os.waitpid(pid, 0)
    return json.loads(text)


# What they block


@way
def mask_of_popen() -> Any:
    return mask(subprocess.check_output(STATUS, text=True))


@way
def mask_of_popen_as_a_user() -> Any:
    return mask(subprocess.check_output(STATUS, text=True, user=65534))


@way
def mask_of_popen_with_preexec() -> Any:
    return mask(subprocess.check_output(STATUS, text=True, preexec_fn=os.getpid))


@way
def mask_of_popen_by_posix_spawn() -> Any:
    return mask(subprocess.check_output(STATUS, text=True, close_fds=False))


@way
def mask_of_system() -> Any:
    reads, writes = os.pipe()
    os.set_inheritable(writes, True)
    status = os.system(f"/bin/bash -c 'grep SigBlk /proc/self/status >&{writes}'")
    os.close(writes)
    with open(reads) as file:
        return mask(file.read()) if status == 0 else status


@way
def mask_of_fork() -> Any:
    return of_child(lambda: mask(Path("/proc/self/status").read_text()))


@way
def mask_of_what_a_blocking_thread_starts() -> Any:
    """What Python code blocks, its processes block; it sees what it has blocked."""
    seen = [sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM]))]
    started = mask(subprocess.check_output(STATUS, text=True))
    forked = of_child(lambda: mask(Path("/proc/self/status").read_text()))
    seen.append(sorted(signal.pthread_sigmask(signal.SIG_SETMASK, [])))
    return [seen, started, forked]


@way
def threads() -> Any:
    """What the threads of this process block, after all."""
    return [mask(Path(f"/proc/self/task/{thread}/status").read_text()) for thread in os.listdir("/proc/self/task")]


@way
def system_status() -> Any:
    return [os.system("exit 3"), os.system("kill -9 $$"), os.system("true")]


# Ending them


@way
def terminated() -> Any:
    process = subprocess.Popen(SLEEPER)
    process.terminate()
    return process.wait(LONG)


@way
def killed() -> Any:
    process = subprocess.Popen(SLEEPER)
    process.kill()
    return process.wait(LONG)


@way
def timed_out() -> Any:
    try:
        subprocess.run(SLEEPER, timeout=0.01, check=True)
    except subprocess.TimeoutExpired as error:
        return str(error.cmd[0])


@way
def interrupted_child() -> Any:
    """SIGINT is Python's in a child: GlusterFS's handler would unmount."""

    def waits() -> str:
        os.kill(os.getpid(), signal.SIGINT)
        return "not interrupted"

    def child() -> str:
        try:
            return waits()
        except KeyboardInterrupt:
            return "KeyboardInterrupt"

    return of_child(child)


@way
def terminated_child() -> Any:
    pid = os.fork()
    if not pid:
        time.sleep(1000)
        os._exit(0)
    os.kill(pid, signal.SIGTERM)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


# multiprocessing


def pool(method: str, function: Callable[[int], Any]) -> Any:
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map_async(function, range(6)).get(LONG)


def own(number: int) -> int:
    print("own", number)
    return number + 1


for _method in ("fork", "spawn", "forkserver"):
    WAYS[f"pool_{_method}"] = lambda method=_method: pool(method, math.factorial)  # type: ignore[misc]
    WAYS[f"own_{_method}"] = lambda method=_method: pool(method, own)  # type: ignore[misc]


@way
def process_terminated() -> Any:
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(1000,))
    process.start()
    process.terminate()
    process.join(LONG)
    return process.exitcode


@way
def executor() -> Any:
    with ProcessPoolExecutor(2) as executor:
        return list(executor.map(math.factorial, range(6)))


# What the child of a fork is not


@way
def comes_back() -> Any:
    pid = os.fork()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) if pid else "a child"


@way
def says_something() -> Any:
    def child() -> None:
        print("printed in a child")
        TRANSLATOR.log.warning("logged in a child")
        TRANSLATOR.log.debug("not logged in a child")

    return of_child(child)


@way
def asks_for_something() -> Any:
    def child() -> Any:
        said = []
        for ask in (lambda: TRANSLATOR.spawn(glupy.sleep(0)), lambda: TRANSLATOR.notify_up(5),
                    lambda: TRANSLATOR.every(1, print), lambda: TRANSLATOR._instance.run(glupy.sleep(0))):
            try:
                ask()
            except RuntimeError as error:
                said.append(str(error))
        kept.clear()  # what it holds of GlusterFS's is nobody's to release here
        return said

    kept = [KEPT[0].replace(path=f"/{number}") for number in range(600)]
    return of_child(child)


@way
def shares() -> Any:
    TRANSLATOR.shared.set("name", 5)
    return of_child(lambda: TRANSLATOR.shared.get("name"))


@way
def files_of_child() -> Any:
    """What is open in a child of what may not be."""

    def child() -> Any:
        names = []
        for number in os.listdir("/proc/self/fd"):
            try:
                names.append(os.readlink(f"/proc/self/fd/{number}"))
            except FileNotFoundError:
                pass  # the list itself
        return [name for name in names if name.startswith(("/dev/fuse", "socket:"))]

    return of_child(child)


@way
def left_behind() -> Any:
    """A child that outlives this process."""
    pid = os.fork()
    if not pid:
        time.sleep(1000)
        os._exit(0)
    return pid


@way
def many_at_once() -> Any:
    """Programs and signals from many threads."""
    codes = []

    def work() -> None:
        for _ in range(10):
            process = subprocess.Popen(SLEEPER)
            process.terminate()
            codes.append(process.wait(LONG))

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(set(codes)), len(codes)


TRANSLATOR: Any
KEPT: list[Loc] = []


class Forks(Translator):
    def init(self) -> None:
        globals()["TRANSLATOR"] = self

    async def getxattr(self, frame: Any, loc: Any, name: str, xdata: Any) -> Any:
        way = WAYS.get((name or "").removeprefix("user."))
        if not way:
            return self.child.getxattr(loc, name, xdata)
        KEPT[:] = [loc]
        try:
            value = await glupy.to_thread(way)
        except Exception as error:
            value = f"{type(error).__name__}: {error}"
        return GetxattrReply(dict={name: json.dumps(value).encode()})
