"""Run by test_leaks.py in a process of its own: mixed requests, over and over, and what is more after them than before.

Prints what it found as JSON. In a build with sanitizers it ends with a leak check while everything is still in place,
which finds what nothing refers to any more.
"""

from __future__ import annotations

import ctypes
import gc
import json
import random
import sys
import threading
import warnings
from collections import Counter
from typing import Any

import glupy
from glupy import gather
from support import calls, memory, statedump
from support.graph import Graph
from support.volfiles import layer

FAILURES = (r"on purpose", r"expected a reply, a wind", r"return the reply, or raise OSError", r"was answered with a",
            r"a fop cannot await", r"raised StopIteration", r"being awaited already")


async def requests(graph: Graph, count: int) -> None:
    """Requests of all fops, a hundred at a time; some of the replies are looked into."""
    table = graph.probe.itable
    made = [(fop, calls.arguments(fop, table)) for fop in glupy.FOPS]
    for _ in range(count // 100):
        winds = [getattr(graph.child, fop)(*arguments) for fop, arguments in random.choices(made, k=100)]
        replies = await gather(*winds, return_exceptions=True)
        for reply in replies[:10]:
            repr(reply)


def work(graph: Graph, count: int) -> None:
    """The same from this thread and from new ones, whose thread states come and go."""
    threads = [threading.Thread(target=lambda: graph.run(requests(graph, count // 4))) for _ in range(3)]
    for thread in threads:
        thread.start()
    graph.run(requests(graph, count // 4))
    for thread in threads:
        thread.join()


def singletons() -> dict[str, int]:
    """Reference counts of what all requests share: a missing Py_DECREF shows at once."""
    shared = {name: value for name, value in vars(glupy).items() if isinstance(value, type)}
    shared |= {"None": None, "True": True, "False": False, "()": (), "b''": b"", "OSError": OSError}
    return {name: sys.getrefcount(value) for name, value in shared.items()}


def objects() -> Counter[str]:
    """What the garbage collector knows, by type."""
    gc.collect()
    return Counter(type(thing).__qualname__ for thing in gc.get_objects())


def measure(graph: Graph) -> dict[str, Any]:
    graph.translator("python").kept = None
    gc.collect()
    counts = statedump.at_rest(graph)
    memory.trim()
    return {
        "references": singletons(), "objects": dict(objects()), "blocks": sys.getallocatedblocks(), "gluster": counts,
        "resident": memory.resident(),
    }


def growth(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {
        key: {name: value - before[key].get(name, 0) for name, value in after[key].items()
              if value - before[key].get(name, 0)} if isinstance(after[key], dict) else after[key] - before[key]
        for key in after
    }


def main(count: int, sanitized: bool) -> None:
    warnings.simplefilter("ignore")
    modes = {"thread": 15, "late": 10, "order": 5, "error": 10, "delay": 1}
    layers = [layer("sink", "glupytest/sink", xdata="on"), layer("chaos", "glupytest/chaos", **modes),
              layer("python", "user/chaotic"), layer("onstack", "glupytest/onstack", stack="io-thread")]
    with Graph(layers, expected=FAILURES) as graph:
        graph.translator("python").calm = False
        work(graph, count)
        before = measure(graph)
        work(graph, count)
        graph.translator("python").kept = None
        more = statedump.settled(graph, before.pop("gluster"))
        after = measure(graph)
        del after["gluster"]
        print(json.dumps({**growth(before, after), "gluster": more}))
    if sanitized:
        gc.collect()
        sys.stdout.flush()
        library = ctypes.CDLL(None)
        library.malloc(4711)  # for the test to see that the check works
        library.__lsan_do_recoverable_leak_check()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:] == ["sanitized"])
