"""F1 of the former finder, beside which that of today's stands."""

from collections.abc import Mapping

# Of the version before observations, with rules of its own for counters, speed and positions (commits 074d2a4 to
# ba5f794), given the same rows: in the order of `scenarios.SCENARIOS`, then the means over six fleets at no loss and at
# 10 % loss. Where percent and positions alone are told, it had no finder.
FORMER: Mapping[str, tuple[float, ...]] = {
    "lock + counters": (1.0000, 1.0000, 0.9680, 0.9612, 1.0000, 1.0000, 0.9983, 0.9977),
    "without lock": (0.0000, 0.1501, 0.1641, 0.5271, 0.0021, 0.0021, 0.0015, 0.1272),
    "without odometer": (1.0000, 1.0000, 0.9708, 0.9680, 1.0000, 1.0000, 0.9961, 0.9947),
    "speed and lock": (0.9488, 0.8737, 0.8043, 0.6744, 0.9395, 0.9395, 0.9507, 0.8773),
    "speed alone": (0.9669, 0.9669, 0.8897, 0.8809, 0.9669, 0.9669, 0.9649, 0.9656),
    "positions alone": (0.9861, 0.9809, 0.9138, 0.8883, 0.9861, 0.9861, 0.9900, 0.9849),
    "odometer every 10 min": (0.7268, 0.7238, 0.6586, 0.6388, 0.7485, 0.7250, 0.6953, 0.6905),
    "whole km, with lock": (1.0000, 1.0000, 0.9680, 0.9619, 1.0000, 1.0000, 0.9976, 0.9972),
    "whole km alone": (0.6137, 0.6124, 0.5630, 0.5656, 0.6137, 0.6134, 0.5903, 0.5921),
}


def former(kind: str, place: int) -> str:
    """What it reached by this kind of evidence in the scenario at this place (-2, -1: the means), as text."""
    return f"{FORMER[kind][place]:.4f}" if kind in FORMER else "–"
