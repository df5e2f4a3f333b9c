"""Where analyses are run from: the one place that knows."""

from analytics.engine.jobs import Wish, analyze

__all__ = ["Wish", "analyze"]
