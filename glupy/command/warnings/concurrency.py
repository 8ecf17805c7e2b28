"""Warnings about threads, locks and what waits."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from glupy._core import FOPS
from glupy.command.warnings.subject import Module, Place, Subject, inside

#: What blocks for as long as something else takes, by the name it is called with.
_BLOCKING = {
    "time.sleep": "await glupy.sleep(...)",
    "os.fsync": "await glupy.to_thread(os.fsync, ...)",
    "os.system": "await glupy.to_thread(...)",
    "open": "await glupy.to_thread(...) with a function that opens, reads and writes",
    "subprocess.run": "await glupy.to_thread(subprocess.run, ...)",
    "subprocess.check_call": "await glupy.to_thread(...)",
    "subprocess.check_output": "await glupy.to_thread(...)",
    "sqlite3.connect": "@glupy.offload on the method",
    "urllib.request.urlopen": "await glupy.to_thread(...)",
    "requests.get": "await glupy.to_thread(...)",
    "requests.post": "await glupy.to_thread(...)",
    "socket.create_connection": "await glupy.to_thread(...)",
}


def future(subject: Subject) -> Iterator[tuple[Place, str]]:
    for module in subject.modules:
        named = {node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)}
        if "set_exception" in named:
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and _name(node.func) in ("Future", "glupy.Future"):
                yield module.at(node), ("nothing in this file settles a Future when what it waits for fails: call "
                                        "set_exception() there, too")


def lock(subject: Subject) -> Iterator[tuple[Place, str]]:
    for module in subject.modules:
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.With) or not any(_is_lock(item.context_expr) for item in node.items):
                continue
            awaits = [inner for inner in inside(node.body) if isinstance(inner, ast.Await)]
            if awaits:
                yield module.at(awaits[0]), (f"this await is inside the `with` of line {node.lineno}, which holds a "
                                             "lock: take what you need under the lock, and await after it")


def blocks(subject: Subject) -> Iterator[tuple[Place, str]]:
    for module, method in subject.methods():
        waits = isinstance(method, ast.AsyncFunctionDef) or method.name in FOPS or method.name == "any_fop"
        if not waits or any(_name(decorator).endswith("offload") for decorator in method.decorator_list):
            continue
        for node in inside(method.body):
            name = _name(node.func) if isinstance(node, ast.Call) else ""
            if name in _BLOCKING and isinstance(node, ast.Call):
                yield module.at(node), f"{name}() blocks a thread that GlusterFS needs: {_BLOCKING[name]}"


def asyncio(subject: Subject) -> Iterator[tuple[Place, str]]:
    if any(_has_a_loop(node) for module in subject.modules for node in ast.walk(module.tree)):
        return
    for module in subject.modules:
        for node in _imports(module, "asyncio"):
            yield module.at(node), ("asyncio's functions do not work in a fop: use glupy.sleep, glupy.gather, glupy.to_thread "
                                    "and glupy.Future, and self.spawn for tasks; or await glupy.asyncio(COROUTINE)")


def _has_a_loop(node: ast.AST) -> bool:
    """Whether that is a use of glupy's loop for asyncio."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "glupy" and any(alias.name in ("asyncio", "asyncio_loop") for alias in node.names)
    return isinstance(node, ast.Attribute) and _name(node) in ("glupy.asyncio", "glupy.asyncio_loop")


def _imports(module: Module, name: str) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import) and any(alias.name.partition(".")[0] == name for alias in node.names):
            yield node
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == name and not node.level:
            yield node


def _is_lock(node: ast.expr) -> bool:
    """By its name, which is all that can be seen: self.lock, self.table_lock, LOCK."""
    name = _name(node).lower()
    return name.endswith(("lock", "mutex", "condition", "semaphore"))


def _name(node: ast.expr) -> str:
    """A dotted name as it is written, or nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _name(node.value)
        return f"{before}.{node.attr}" if before else ""
    if isinstance(node, ast.Call):
        return _name(node.func)
    return ""
