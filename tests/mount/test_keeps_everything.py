"""A translator that keeps every argument, frame, wind and reply it ever gets, and looks at them long after."""

from __future__ import annotations

import os

import pytest
import test_workout
import workout
from support.mounts import Mount
from support.volfiles import layer


@pytest.mark.long
@pytest.mark.parametrize("cases", ["tree-*", "data-*", "xattrs-*", "directories-*", "locks-*", "storms-*"])
def test_keeps_everything(cases: str) -> None:
    with (
        Mount(expected=test_workout.FAILURES) as plain,
        Mount([layer("python", "user/keeps")], expected=test_workout.FAILURES) as python,
    ):
        differences = workout.run(plain.path, python.path, only=[cases])
        assert not differences, "\n".join(str(difference) for difference in differences)
        kept = int(os.getxattr(python.path, "user.look"))
        assert kept > 100
        assert int(os.getxattr(python.path, "user.drop")) >= kept
        (python.path / "witness").write_bytes(b"well")
        assert (python.path / "witness").read_bytes() == b"well"
        assert int(os.getxattr(python.path, "user.look")) < kept
