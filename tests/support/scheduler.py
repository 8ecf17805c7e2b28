"""Which tests pytest-xdist hands to one worker together. Apart from workers.py, as pytest-xdist may not be there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.workers import has_own_processes, shares_fixtures
from xdist.scheduler import LoadScopeScheduling


def _path(nodeid: str) -> str:
    return nodeid.partition("::")[0]


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out whole files or single tests: see workers.py."""

    def __init__(self, config: Any, log: Any) -> None:
        super().__init__(config, log)
        self._root: Path = config.rootpath
        self._together: dict[str, bool] = {}
        self._in_order = False

    def _few(self) -> bool:
        return len({_path(nodeid) for nodeid in self.collection}) < self.numnodes

    def _split_scope(self, nodeid: str) -> str:
        path = _path(nodeid)
        if path not in self._together:
            file = self._root / path
            self._together[path] = shares_fixtures(file) or not (has_own_processes(file) or self._few())
        return path if self._together[path] else nodeid

    def _assign_work_unit(self, node: Any) -> None:
        if not self._in_order:
            self._in_order = True
            self._put_in_order()
        super()._assign_work_unit(node)

    def _put_in_order(self) -> None:
        """As workers.py has sorted them, what takes long first. pytest-xdist 3.6 begins with the files that have most tests, so
        that cases of minutes, which are handed out by themselves, would be the last of all."""
        for scope in dict.fromkeys(map(self._split_scope, self.collection)):
            self.workqueue.move_to_end(scope)

    def remove_node(self, node: Any) -> str | None:
        """pytest-xdist would give the test that has ended a worker to the next one, and so end one after another."""
        units = self.assigned_work.pop(node)
        crashed = next((nodeid for unit in units.values() for nodeid, done in unit.items() if not done), None)
        if crashed is None:
            return None
        for unit in units.values():
            unit.pop(crashed, None)
        self.workqueue.update({scope: unit for scope, unit in units.items() if not all(unit.values())})
        for other in self.assigned_work:
            self._reschedule(other)
        return crashed
