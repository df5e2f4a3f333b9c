"""Whether each account's cloud answers and knows the account, and whether its clock agrees with ours."""

import asyncio
from collections.abc import Iterator, Sequence

import httpx

from logger.commands.check.finding import Finding, error, ok, warning
from logger.commands.output import format_duration
from logger.errors import ConfigError
from logger.settings.schema import Settings, Source
from logger.sources import accounts
from logger.sources.contract import Cloud
from logger.sources.login_check import LoginCheck

# Half of 10 s, the shortest time between two pushes of a vehicle: beyond it, neighbours change places when one is dated
# by its own clock and the other by ours. From a minute on, the intake statistics count every message as late.
_OFF_S, _WRONG_S = 5.0, 60.0


def check_logins(settings: Settings) -> Iterator[Finding]:
    """Request a token from each account's cloud and nothing else, so that no vehicle is woken."""
    known: list[tuple[Source, Cloud]] = []
    opened = accounts(settings)
    for account in settings.sources:
        try:
            if cloud := opened[account.name].cloud():
                known.append((account, cloud))
        except ConfigError as failure:
            yield _without_host(account, failure, pushes=opened[account.name].webhook is not None)
    logins = asyncio.run(_log_in([cloud for _, cloud in known]))
    for (account, _), login in zip(known, logins, strict=True):
        yield _login(account, login)
    if settings.sources:
        yield _clock(logins)


async def _log_in(clouds: Sequence[Cloud]) -> list[LoginCheck]:
    async with httpx.AsyncClient() as http:
        return await asyncio.gather(*(cloud.check_login(http) for cloud in clouds))


def _without_host(account: Source, failure: ConfigError, *, pushes: bool) -> Finding:
    about = f"cloud {account.name}"
    if account.poll is not None:
        return error(about, str(failure), "`voltrail run` does not start until then")
    if not pushes:
        return error(about, str(failure), "nothing comes from this account until then")
    return warning(about, str(failure), "as long as the account only pushes, nothing needs to be done")


def _login(account: Source, login: LoginCheck) -> Finding:
    about = f"cloud {account.name}"
    if login.meaning == "ok":
        return ok(about, f"{login.host} knows the account")
    if login.meaning == "refused" or account.poll is not None:
        return error(about, login.trouble, login.remedy)
    return warning(about, login.trouble, f"{login.remedy}; pushes come in without it")


def _clock(logins: Sequence[LoginCheck]) -> Finding:
    clocks = [login.clock for login in logins if login.clock is not None]
    if not clocks:
        return warning("clock", "no cloud gave its time to compare with", "let NTP keep this machine's clock")
    nearest = min(clocks, key=lambda clock: clock.off_s)  # two clouds that differ: ours is no worse than the better one
    if nearest.off_s <= _OFF_S:
        return ok("clock", "agrees with that of the cloud")
    side = "behind" if nearest.ahead_s > 0 else "ahead of"
    text = f"this machine's clock is {format_duration(abs(nearest.ahead_s))} {side} the cloud's"
    return (error if nearest.off_s > _WRONG_S else warning)("clock", text, "set it, and let NTP keep it")
