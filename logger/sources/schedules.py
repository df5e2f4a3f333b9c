"""The regular queries of a cloud, from the intervals of the settings."""

from collections.abc import Mapping

from logger.settings.schema import STATES, Polling
from logger.sources.contract import Query
from logger.sources.pace import speed


def scheduled(
    poll: Polling | None, weights: Mapping[str, float], skipped_by: Mapping[str, str] = {}
) -> tuple[Query, ...]:
    """Return a query for each name, at the intervals of `[sources.poll]` times its weight; none without that table.

    `skipped_by` is the kind of push that holds the same values, by query.
    """
    if poll is None:
        return ()
    every_s = {state: poll.every_s[state] / speed() for state in STATES if state in poll.every_s}
    return tuple(
        Query(name, {state: weight * every_s[state] for state in every_s}, skipped_by.get(name, ""))
        for name, weight in weights.items()
    )
