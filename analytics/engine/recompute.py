"""Rows of derived tables made of what was read, as far as that tells, and the days into which they go."""

from collections.abc import Callable, Mapping

import msgspec
import polars as pl

from analytics.engine.load import Rows
from analytics.engine.registry import Analysis
from analytics.engine.splice import Seam, between, seam
from analytics.engine.windows import ended, windows


class Made(msgspec.Struct, frozen=True):
    """Rows by analysis, and the days in which they take the place of what is there.

    `ready` are the vehicles of which enough was read, with `since` and `until` of the days that may have changed; the
    frames of `days`, to be committed one after the other, have the same columns.
    """

    ready: pl.DataFrame
    rows: Mapping[str, pl.DataFrame]
    days: Mapping[str, list[pl.DataFrame]]


def make(
    analyses: Mapping[str, Analysis],
    told: Rows,
    touched: pl.DataFrame,
    there: Callable[[str, pl.DataFrame], pl.DataFrame],
) -> Made:
    """What these analyses make of vehicles that were `touched`, a DataFrame of `TOUCHED`.

    `there` gives all rows that an analysis made of such vehicles before.
    """
    ready = windows(told.steps, touched, told.read).drop_nulls()
    if ready.is_empty():
        return Made(ready, {}, {})
    rows = {name: each.rows(told) for name, each in analyses.items()}
    seams: dict[str, Seam] = {}
    for name, each in analyses.items():
        if each.reach == "stretch" and not told.read.to_end:
            ready = ended(ready, rows[name], told.readings)
        if each.known is not None:
            seams[name] = seam(rows[name], there(name, ready), between(each.known(told), ready, told.read))
            ready = ready.filter(~pl.col("vehicle").is_in(seams[name].lost))
    whole = {name: each.rows for name, each in seams.items()}
    days = {name: seams[name].changes(ready) if name in seams else [ready] for name in analyses}
    return Made(ready, {**rows, **whole}, days)
