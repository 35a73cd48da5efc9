"""The bench of attacks finds no fault: its fast half, against the app as a newsroom serves it."""

from __future__ import annotations

import pytest

from bench.attack.__main__ import run
from bench.attack.stage import Attempt

pytestmark = pytest.mark.server


def test_every_attack_of_the_fast_half_is_refused() -> None:
    attempts: list[Attempt] = run(fast=True, only=set())
    faults = [f"{a.area}: {a.name}: {a.detail}" for a in attempts if not a.held]
    assert faults == []
    assert len(attempts) > 600
    areas = {a.area for a in attempts}
    assert {"files", "proxy", "deep links", "routes", "owner", "paid", "handed back"} <= areas
