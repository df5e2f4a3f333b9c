"""How fast the time of vehicles runs: as ours does, but for the demo, whose simulated days last seconds."""

import os

SPEED = "VOLTRAIL_DEMO_SPEED"  # the demo sets it for the service that it starts; nobody else has a use for it


def speed() -> float:
    """How many seconds of vehicles pass in one of ours."""
    return float(os.environ.get(SPEED, "1"))
