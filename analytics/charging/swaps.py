"""Swaps of packs: what packs say from one poll to the next, and what the vehicle's percent says between polls.

The rules are those of the analytics facts, 3.0: cycles that fall or rise too fast, a percent that rises faster than any
charger can, a voltage at rest that jumps while the percent does not. Nothing here is made of temperatures.
"""

import polars as pl

from analytics.frames import WHO, before, marked
from analytics.schemas import SWAPS

RISE_PCT, CHARGER_PCT_H = 2.0, 60.0  # a percent that rises by more, faster than this, was not charged
CYCLES_PER_DAY, CYCLES = 3.6, 1.0  # the most that a pack in use counts
JUMP_V = 2.0
OUT = {("segway", "10"): "1", ("segway", "11"): "2"}  # alerts that a battery was taken out, and of which port
SADDLE = ("segway", "1")  # the component above the packs
_PLACE = (*WHO, "port")
_MS = pl.Datetime("ms", "UTC")


def swaps(
    packs: pl.DataFrame,
    observations: pl.DataFrame,
    batteries: pl.DataFrame,
    events: pl.DataFrame,
    traits: pl.DataFrame,
) -> pl.DataFrame:
    """Packs that took another's place, of vehicles whose packs can be swapped.

    Parameters
    ----------
    packs, batteries, events : DataFrames of `PACKS`, `BATTERIES` and `EVENTS`, each in its order
    observations : DataFrame with `provider` `vehicle` `at` `soc_pct` `charging` `locked`, by vehicle and time
    traits : DataFrame with `provider` `vehicle` `swappable`

    Returns
    -------
    DataFrame of `SWAPS`, by vehicle and time.

    Notes
    -----
    A swap that both a poll and the vehicle's percent show is one, of the poll's port and the percent's time. A pack of
    nearly the same percent and cycles as the one before it is not told from it (facts 3.0: 4 % of cycles agree in a
    fleet whose cycles spread by 50). Two packs that change places are no swap. Nor is what is gone at the next reading,
    or has none after it yet, unless the vehicle reports that a pack was taken out.
    """
    swappable = traits.filter("swappable").select(WHO)
    rows = observations.select(*WHO, "at", "soc_pct", "charging", "locked")
    frames = (packs, rows, batteries, events)
    cells, told, asked, heard = (each.join(swappable, on=WHO, how="semi", maintain_order="left") for each in frames)
    hints, charging = _hints(heard), _charging(told, asked)
    polled = _polled(cells, told, charging, hints)
    shown = _shown(told, charging, hints)
    both = _timed_by(polled, shown)
    placed = _guessed(pl.concat([both, _left_over(shown, polled)]), hints)
    return placed.select(SWAPS.names()).cast(SWAPS).sort(*WHO, "at", "port")


# ---- evidence ------------------------------------------------------------------------------------------------------


def _hints(events: pl.DataFrame) -> pl.DataFrame:
    """Moments at which a pack was taken out (`port` says of where), or else at which the saddle was opened."""
    rows = [(provider, code, port) for (provider, code), port in OUT.items()]
    ports = pl.DataFrame(rows, schema=["provider", "code", "port"], orient="row")
    out = events.filter((pl.col("kind") == "alert") & (pl.col("state") == "appeared"))
    provider, code = SADDLE
    saddle = (pl.col("kind") == "component") & (pl.col("provider") == provider) & (pl.col("code") == code)
    opened = events.filter(saddle & (pl.col("state") == "unlocked"))
    told = [out.join(ports, on=["provider", "code"]), opened.with_columns(port=pl.lit(None, pl.String()))]
    return pl.concat([rows.select(*WHO, "port", hint_at="at") for rows in told]).sort("hint_at")


def _charging(observations: pl.DataFrame, batteries: pl.DataFrame) -> pl.DataFrame:
    """Moments at which a vehicle said that it charges."""
    said = [
        observations.filter("charging").select(*WHO, charged_at="at"),
        batteries.filter("bms_charging").select(*WHO, charged_at="at"),
    ]
    return pl.concat(said).sort("charged_at")


def _uncharged(steps: pl.DataFrame, charging: pl.DataFrame) -> pl.DataFrame:
    """These steps with `charged`: whether the vehicle charged at an end of it or between; sorted by `until`."""
    known = _latest(steps, charging, "charged_at", WHO)
    return known.with_columns(charged=(pl.col("charged_at") >= pl.col("since")).fill_null(False))


def _too_fast() -> pl.Expr:
    return ~pl.col("charged") & (pl.col("rise_pct") > RISE_PCT + CHARGER_PCT_H * _hours())


def _hours() -> pl.Expr:
    return (pl.col("until") - pl.col("since")).dt.total_milliseconds() / 3_600_000


# ---- polls of packs ------------------------------------------------------------------------------------------------


def _polled(
    packs: pl.DataFrame, observations: pl.DataFrame, charging: pl.DataFrame, hints: pl.DataFrame
) -> pl.DataFrame:
    steps = _locked(_uncharged(_pack_steps(packs), charging), observations)
    known = _latest(steps, hints.drop_nulls("port"), "hint_at", _PLACE)
    known = known.with_columns(taken=(pl.col("hint_at") > pl.col("since")).fill_null(False))
    found = known.filter(pl.any_horizontal(each.fill_null(False) for each in _signs()))
    return _uncrossed(found).select(*WHO, "port", "since", "until", "soc_before_pct", "soc_after_pct")


def _pack_steps(packs: pl.DataFrame) -> pl.DataFrame:
    rows = packs.filter(~_gone().fill_null(False))
    was = {name: pl.col(name).shift(1).over(_PLACE) for name in ("at", "pack_soc_pct", "pack_voltage_v", "pack_cycles")}
    return rows.select(
        *_PLACE,
        since=was["at"],
        until=pl.col("at"),
        soc_before_pct=was["pack_soc_pct"],
        soc_after_pct="pack_soc_pct",
        rise_pct=pl.col("pack_soc_pct") - was["pack_soc_pct"],
        jump_v=pl.col("pack_voltage_v") - was["pack_voltage_v"],
        cycles_before=was["pack_cycles"],
        cycles="pack_cycles",
        counted=pl.col("pack_cycles") - was["pack_cycles"],
    ).drop_nulls("since")


def _gone() -> pl.Expr:
    """Whether a poll says what the polls before and after it, which agree, do not: that is nothing that stays."""
    was, comes = (
        {name: pl.col(name).shift(by).over(_PLACE) for name in ("pack_soc_pct", "pack_cycles")} for by in (1, -1)
    )
    agree = (comes["pack_soc_pct"] - was["pack_soc_pct"]).abs() <= RISE_PCT
    far = (pl.col("pack_soc_pct") - was["pack_soc_pct"]).abs() > RISE_PCT
    other = pl.col("pack_cycles") != was["pack_cycles"]
    return agree & (comes["pack_cycles"] == was["pack_cycles"]).fill_null(True) & (far | other.fill_null(False))


def _locked(steps: pl.DataFrame, observations: pl.DataFrame) -> pl.DataFrame:
    """Whether the vehicle was locked when a step began and when it ended, as its last reading said."""
    told = observations.drop_nulls("locked").select(*WHO, "at", "locked").sort("at")
    for end in ("since", "until"):
        steps = steps.sort(end).join_asof(
            told.rename({"at": f"{end}_read_at", "locked": f"{end}_locked"}),
            left_on=end, right_on=f"{end}_read_at", by=WHO, strategy="backward", check_sortedness=False,
        )  # fmt: skip
    return steps


def _signs() -> list[pl.Expr]:
    rests = pl.col("since_locked") & pl.col("until_locked") & ~pl.col("charged")
    other = (pl.col("rise_pct").abs() > RISE_PCT) | (pl.col("counted") != 0)
    return [
        pl.col("counted") < 0,
        pl.col("counted") > CYCLES + CYCLES_PER_DAY * _hours() / 24,
        _too_fast(),
        rests & (pl.col("jump_v").abs() > JUMP_V) & (pl.col("rise_pct").abs() <= RISE_PCT),
        pl.col("taken") & other,
    ]


def _uncrossed(found: pl.DataFrame) -> pl.DataFrame:
    """Without packs that only changed places: each has the cycles and nearly the percent that the other had."""
    if not found.height:
        return found
    names = [*WHO, "until", "port", "cycles_before", "cycles", "soc_before_pct", "soc_after_pct"]
    pairs = found.select(names).join(found.select(names), on=[*WHO, "until"], suffix="_other")
    crossed = pairs.filter(
        (pl.col("port") != pl.col("port_other"))
        & (pl.col("cycles") == pl.col("cycles_before_other"))
        & (pl.col("cycles_other") == pl.col("cycles_before"))
        & ((pl.col("soc_after_pct") - pl.col("soc_before_pct_other")).abs() <= RISE_PCT)
        & ((pl.col("soc_after_pct_other") - pl.col("soc_before_pct")).abs() <= RISE_PCT)
    )
    return found.join(crossed, on=[*_PLACE, "until"], how="anti")


# ---- the vehicle's percent -----------------------------------------------------------------------------------------


def _shown(observations: pl.DataFrame, charging: pl.DataFrame, hints: pl.DataFrame) -> pl.DataFrame:
    told = marked(observations.drop_nulls("soc_pct").select(*WHO, "at", "soc_pct"))
    comes = pl.when(~pl.col("fresh").shift(-1)).then(pl.col("soc_pct").shift(-1))
    steps = told.select(
        *WHO, pl.lit(None, pl.String()).alias("port"), before("at").alias("since"), pl.col("at").alias("until"),
        before("soc_pct").alias("soc_before_pct"), pl.col("soc_pct").alias("soc_after_pct"),
        (comes > before("soc_pct") + RISE_PCT).fill_null(False).alias("stays"),
    ).drop_nulls("since").filter(pl.col("soc_after_pct") > pl.col("soc_before_pct"))  # fmt: skip
    rises = steps.with_columns(rise_pct=pl.col("soc_after_pct") - pl.col("soc_before_pct"))
    known = _latest(_uncharged(rises, charging), hints.drop_nulls("port").drop("port"), "hint_at", WHO)
    taken = (pl.col("hint_at") > pl.col("since")).fill_null(False) & (pl.col("rise_pct") > RISE_PCT)
    return known.filter((_too_fast() & pl.col("stays")) | taken).select(steps.columns).drop("stays")


# ---- both ----------------------------------------------------------------------------------------------------------


def _overlaps(polled: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Which swap of a poll lies in which rise of the vehicle's percent."""
    pairs = polled.join(shown.select(*WHO, since_shown="since", until_shown="until"), on=WHO)
    return pairs.filter((pl.col("since_shown") < pl.col("until")) & (pl.col("until_shown") > pl.col("since")))


def _timed_by(polled: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Swaps of polls, their windows narrowed by the first rise of the vehicle's percent in them."""
    first = _overlaps(polled, shown).sort("since_shown").unique([*_PLACE, "until"], keep="first", maintain_order=True)
    known = polled.join(first.select(*_PLACE, "until", "since_shown", "until_shown"), on=[*_PLACE, "until"], how="left")
    return known.with_columns(
        since=pl.max_horizontal("since", "since_shown"), until=pl.min_horizontal("until", "until_shown")
    ).select(polled.columns)


def _left_over(shown: pl.DataFrame, polled: pl.DataFrame) -> pl.DataFrame:
    """Rises of the vehicle's percent that no poll explains."""
    explained = _overlaps(polled, shown).select(*WHO, until="until_shown")
    return shown.join(explained, on=[*WHO, "until"], how="anti").select(polled.columns)


def _guessed(found: pl.DataFrame, hints: pl.DataFrame) -> pl.DataFrame:
    """`at`: when the pack was taken out, which it had not been before, or the saddle opened, or the window's middle."""
    taken = hints.drop_nulls("port").select(*WHO, "port", taken_at="hint_at")
    opened = hints.select(*WHO, opened_at="hint_at")  # the saddle, or another pack out
    known = _latest(_latest(found, taken, "taken_at", _PLACE), opened, "opened_at", WHO)
    taken_at, opened_at = (
        pl.when(pl.col(name) > pl.col("since")).then(pl.col(name)) for name in ("taken_at", "opened_at")
    )
    middle = (pl.col("since") + (pl.col("until") - pl.col("since")) / 2).cast(_MS)
    return known.with_columns(at=pl.coalesce(taken_at, opened_at, middle), since=pl.coalesce(taken_at, "since"))


def _latest(steps: pl.DataFrame, moments: pl.DataFrame, name: str, by: tuple[str, ...]) -> pl.DataFrame:
    """These steps with the last of the moments until their end, in the order of their ends."""
    return steps.sort("until").join_asof(
        moments, left_on="until", right_on=name, by=by, strategy="backward", check_sortedness=False
    )
