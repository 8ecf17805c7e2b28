"""Every operation a mount can reach gives the same results with a Python layer that intercepts every fop as without."""

from __future__ import annotations

import pytest
import workout
from support.mounts import Mount
from support.volfiles import layer

#: What GlusterFS logs at WARNING and above for operations that fail on purpose, here in both graphs alike.
FAILURES = (r"\[fuse-bridge\.c:", r" 0-brick: ", r" 0-locks: ", r"new_posix_lock")


@pytest.mark.parametrize("how", ["awaited", "looked_into", "tail", "nothing"])
def test_same_results(how: str) -> None:
    with (
        Mount(expected=FAILURES) as plain,
        Mount([layer("python", "user/pass_all", how=how)], expected=FAILURES) as python,
    ):
        differences = workout.run(plain.path, python.path)
        assert not differences, "\n".join(str(difference) for difference in differences)
