"""Warnings about winds."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from glupy._core import FOPS
from glupy.command.warnings.subject import Place, Subject, inside

#: The fops that make something, for which a gfid has to come from above.
_MAKING = ("mkdir", "mknod", "create", "symlink")


def gfid_req(subject: Subject) -> Iterator[tuple[Place, str]]:
    for module in subject.modules:
        for function in module.functions():
            for call in inside(function.body):
                fop = _wound(call) if isinstance(call, ast.Call) else None
                if isinstance(call, ast.Call) and fop in _MAKING and _lacks_gfid(call, fop):
                    yield module.at(call), (f"this wind of {fop} gives no gfid: add "
                                            "xdata={\"gfid-req\": Gfid.random()}, or hand on the xdata that came")


def dropped(subject: Subject) -> Iterator[tuple[Place, str]]:
    coroutines = {method.name for _, method in subject.methods() if isinstance(method, ast.AsyncFunctionDef)}
    for module in subject.modules:
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
                continue
            call = node.value
            if _wound(call):
                yield module.at(node), f"this wind of {_wound(call)} is never begun: await it, or return it"
            elif isinstance(call.func, ast.Attribute) and _is_self(call.func.value) and call.func.attr in coroutines:
                yield module.at(node), (f"self.{call.func.attr}() is a coroutine, and this does not run it: await "
                                        "it, or self.spawn() it")


def _wound(call: ast.Call) -> str | None:
    """The fop of a wind to a child: self.child.NAME(...), self.children[0].NAME(...), child.NAME(...)."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in FOPS:
        return None
    target = call.func.value
    if isinstance(target, ast.Subscript):
        target = target.value
    name = target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""
    return call.func.attr if name in ("child", "children", "subvolume") else None


def _lacks_gfid(call: ast.Call, fop: str) -> bool:
    """Whether a wind surely has no gfid-req: there is no xdata, or one that is written out without it."""
    if any(isinstance(argument, ast.Starred) for argument in call.args) or None in [word.arg for word in call.keywords]:
        return False
    position = FOPS[fop].index("xdata")
    given = [word.value for word in call.keywords if word.arg == "xdata"] + call.args[position:position + 1]
    if not given:
        return True
    if isinstance(given[0], ast.Constant):
        return given[0].value is None
    if not isinstance(given[0], ast.Dict):
        return False
    keys = [key.value if isinstance(key, ast.Constant) else None for key in given[0].keys]
    return None not in keys and "gfid-req" not in keys


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"
