"""`glupy attach`, `detach`, `set`, `enable`, `disable` and `status` on three nodes, each with namespaces of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support.cases import run_case

sys.path.insert(0, str(Path(__file__).resolve().parent))
import cluster_cases  # noqa: E402

pytestmark = pytest.mark.once

#: Cases on which CI's two systems share: each takes a minute or more of a processor.
SHARED = {
    "serving": pytest.mark.first_system, "failing": pytest.mark.first_system, "shapes": pytest.mark.second_system,
    "grows": pytest.mark.second_system, "shelf": pytest.mark.second_system,
}


@pytest.mark.parametrize("case", [pytest.param(case, marks=SHARED.get(case, ())) for case in cluster_cases.CASES])
def test_cluster(case: str) -> None:
    run_case(cluster_cases.__file__, case)
