"""Whether each account's cloud is there and knows the account, and whether its clock agrees with ours."""

import asyncio
from collections.abc import Iterator, Sequence

import httpx

from logger.commands.check.finding import Finding, duration, error, ok, warning
from logger.errors import ConfigError
from logger.settings.schema import Settings, Source
from logger.sources import accounts
from logger.sources.contract import Cloud
from logger.sources.login_check import LoginCheck

# Half of 10 s, the shortest time between two pushes of a vehicle: beyond it, neighbours change places when one is dated
# by its own clock and the other by ours. From a minute on, the books on intake call every message late.
_OFF_S, _WRONG_S = 5.0, 60.0


def check_logins(settings: Settings) -> Iterator[Finding]:
    """A token is asked for and nothing else: no vehicle is woken."""
    known: list[tuple[Source, Cloud]] = []
    opened = accounts(settings)
    for account in settings.sources:
        try:
            if cloud := opened[account.name].cloud():
                known.append((account, cloud))
        except ConfigError as failure:
            yield _nowhere(account, failure)
    greetings = asyncio.run(_greetings([cloud for _, cloud in known]))
    for (account, _), greeting in zip(known, greetings, strict=True):
        yield _login(account, greeting)
    if settings.sources:
        yield _clock(greetings)


async def _greetings(clouds: Sequence[Cloud]) -> list[LoginCheck]:
    async with httpx.AsyncClient() as http:
        return await asyncio.gather(*(cloud.check_login(http) for cloud in clouds))


def _nowhere(account: Source, failure: ConfigError) -> Finding:
    about = f"cloud {account.name}"
    if account.poll is not None:
        return error(about, str(failure), "`voltrail run` does not start until then")
    return warning(about, str(failure), "as long as the account only pushes, nothing is to do")


def _login(account: Source, greeting: LoginCheck) -> Finding:
    about = f"cloud {account.name}"
    if greeting.meaning == "ok":
        return ok(about, f"{greeting.host} knows the account")
    if greeting.meaning == "refused" or account.poll is not None:
        return error(about, greeting.trouble, greeting.remedy)
    return warning(about, greeting.trouble, f"{greeting.remedy}; pushes come in without it")


def _clock(greetings: Sequence[LoginCheck]) -> Finding:
    clocks = [greeting.clock for greeting in greetings if greeting.clock is not None]
    if not clocks:
        return warning("clock", "no cloud told the time to compare ours with", "let NTP keep this machine's clock")
    told = min(clocks, key=lambda clock: clock.off_s)  # two clouds that differ: ours is no worse than the better one
    if told.off_s <= _OFF_S:
        return ok("clock", "agrees with that of the cloud")
    side = "behind" if told.ahead_s > 0 else "ahead of"
    text = f"this machine's clock is {duration(abs(told.ahead_s))} {side} the cloud's"
    return (error if told.off_s > _WRONG_S else warning)("clock", text, "set it, and let NTP keep it")
