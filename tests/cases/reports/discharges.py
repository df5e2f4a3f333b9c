"""Energy that is drawn from a parked battery, and that power alone tells of, whatever its sign."""

from tests.cases.reports.checks import count, minutes_of, one, size, total
from tests.cases.reports.situations import CAR, Situation, settings, situation
from tests.cases.reports.story import Row, Story


def _tools(watts: float, *signals: str, every_s: float) -> list[Row]:
    """From 08:00 to 12:00 tools draw 24 % out of a parked car; later it drives 20 km."""
    story = Story("03-20 06:00", soc_pct=80, power_w=0.0).stands(120).stands(240, pct=-24, power_w=watts)
    story.stands(300).drives(30, km=20, pct=6, power_w=2 * watts).stands(120)
    return story.polled("odometer_m", "soc_pct", "power_w", *signals, every_s=every_s, first_s=5)


_DRAWN = (
    count("charges", 0), count("trips", 1), total("consumption", "charged_wh", 0, 0),
    minutes_of("discharging", 220, 260), size("standby", "soc_lost_pct", 3),
)  # fmt: skip


@situation
def tools_told_by_the_minute() -> Situation:
    """Power of tools at a parked car, negative, each minute."""
    rows = _tools(-3_480.0, every_s=60)
    return Situation(rows, _DRAWN, settings=settings("tools_told_by_the_minute", CAR))


@situation
def tools_of_the_other_sign() -> Situation:
    """The same, positive when used, each five minutes: what loses a quarter of its percent is no charge."""
    rows = _tools(3_480.0, "moving", every_s=300)
    return Situation(rows, _DRAWN, settings=settings("tools_of_the_other_sign", CAR))


@situation
def tools_and_a_flag_that_denies() -> Situation:
    """Each quarter, positive, and a flag that says that nothing is charged."""
    rows = _tools(3_480.0, "charging", every_s=900)
    return Situation(
        rows,
        (*_DRAWN, one("trips", "soc_used_pct", 5, 7.5)),
        settings=settings("tools_and_a_flag_that_denies", CAR),
    )
