"""Whether pushes can come in: the port, and the address that the vendor is told."""

import asyncio
import fcntl
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import msgspec

from logger.commands.check.finding import Finding, error, ok, plain, warning
from logger.envelope import Envelope
from logger.errors import ConfigError, Retry
from logger.receive.app import NOT_FOUND, OK, Receiver
from logger.receive.metrics import ReceiverMetrics
from logger.service.receiver import http_server
from logger.service.supervisor import listening
from logger.settings.schema import Settings
from logger.sources import accounts
from logger.sources.contract import Account, PushOutcome
from logger.spool.group_commit import GroupCommit

_TIMEOUT_S = 10.0
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


def is_running(settings: Settings) -> bool:
    """Whether a `voltrail run` holds the data folder."""
    lock: Path = settings.data_dir / "run.lock"
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # there is none, or none that this user may read
        return False
    return False


def check_port(settings: Settings) -> Iterator[Finding]:
    """Whether `listen` is ours, or free."""
    listen = settings.collector.listen
    if is_running(settings):
        if _answers(settings):
            yield ok("port", f"{listen} is answered by the voltrail that is running")
        else:
            yield error(
                "port",
                f"a voltrail is running on {settings.data_dir} and does not answer at {listen}",
                "see its log; where `listen` was changed since its start, restart it",
            )
        return
    try:
        with listening(settings):
            yield ok("port", f"{listen} is free; no voltrail is running here")
    except ConfigError as failure:
        yield error("port", str(failure), "end the program that holds it (`ss -ltnp` names it), or change `listen`")


def _answers(settings: Settings) -> bool:
    host, number = settings.collector.address
    host = _EVERYWHERE.get(host, host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{number}/healthz"
    try:
        with httpx.Client(trust_env=False, timeout=_TIMEOUT_S) as http:
            return http.get(url).content == OK.body
    except httpx.HTTPError:
        return False


# ---- the address that the vendor is told ---------------------------------------------------------------------------


class Knock(msgspec.Struct, frozen=True):
    """What an unsigned push to an account got: HTTP status and body, or why it got none."""

    status: int = 0
    body: bytes = b""
    trouble: str = ""


def check_push_addresses(settings: Settings) -> Iterator[Finding]:
    """Push without a signature to each account by its public address: our own refusal proves the way."""
    hooks = [each for each in accounts(settings).values() if each.webhook]
    collector = settings.collector
    if not collector.public_url:
        yield from (_not_tried(settings, hook) for hook in hooks)
        return
    if collector.public_url.startswith("http://"):
        yield warning("public_url", "without TLS, whoever listens in can repeat a push", "put a TLS proxy in front")
    try:
        knocks = asyncio.run(_knocks(settings, hooks))
    except ConfigError as failure:
        yield warning("public_url", f"not tried: {failure}", "free the port first, then check again")
        return
    for hook, knock in zip(hooks, knocks, strict=True):
        yield _reached(settings, hook, knock)


def _not_tried(settings: Settings, hook: Account) -> Finding:
    return warning(
        f"push address {hook.name}",
        "not tried: there is no public_url in [collector]",
        f"set it to the https://HOST that leads here, and {register(settings, hook)}",
    )


def register(settings: Settings, hook: Account) -> str:
    """What to tell the vendor of this account."""
    first = _first_path(hook)
    return f"register {settings.collector.push_address(hook.name)} with the vendor, who adds {first} and so on"


def _first_path(hook: Account) -> str:
    return next(iter(hook.webhook.paths), "") if hook.webhook else ""


def _is_reply(hook: Account, outcome: PushOutcome, knock: Knock) -> bool:
    reply = hook.webhook.reply(outcome) if hook.webhook else None
    return reply is not None and (knock.status, knock.body) == (reply.status, reply.body)


async def _knocks(settings: Settings, hooks: Sequence[Account]) -> list[Knock]:
    """What each account's address answers; where nobody serves it, we do so for this moment."""
    if is_running(settings):
        return await _pushed(settings, hooks)
    with listening(settings) as listener:
        return await _served(settings, listener, hooks)


async def _served(settings: Settings, listener: socket.socket, hooks: Sequence[Account]) -> list[Knock]:
    commits = GroupCommit(_refuse)  # a real push that comes in meanwhile is answered 503, and sent again
    metrics = ReceiverMetrics(dict)
    own = {hook.name: hook for hook in hooks}
    server = http_server(Receiver(own, settings.collector.path_prefix, commits, metrics, lambda: "only a check"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        return await _pushed(settings, hooks)
    finally:
        server.should_exit = True
        await serving
        await commits.close()


def _refuse(_: Sequence[Envelope]) -> int:
    raise Retry("this is only a check")


async def _pushed(settings: Settings, hooks: Sequence[Account]) -> list[Knock]:
    async with httpx.AsyncClient(timeout=_TIMEOUT_S) as http:
        addresses = [settings.collector.push_address(hook.name) + _first_path(hook) for hook in hooks]
        return await asyncio.gather(*(_pushed_to(http, address) for address in addresses))


async def _pushed_to(http: httpx.AsyncClient, address: str) -> Knock:
    try:
        answer = await http.post(address, data={"voltrail": "check"})
    except (httpx.HTTPError, httpx.InvalidURL) as failure:
        return Knock(trouble=plain(f"{type(failure).__name__}: {failure}").rstrip(": "))
    return Knock(answer.status_code, answer.content)


def _reached(settings: Settings, hook: Account, knock: Knock) -> Finding:
    about, base = f"push address {hook.name}", settings.collector.push_address(hook.name)
    if knock.trouble:
        return error(
            about,
            f"{base} cannot be reached from this machine: {knock.trouble}",
            "check DNS, certificate, firewall and proxy; some routers do not lead back in: then try from elsewhere",
        )
    if _is_reply(hook, "forged", knock):
        return ok(about, f"{base} leads to voltrail, seen from this machine")
    if knock == Knock(404, NOT_FOUND.body) or _is_reply(hook, "unknown", knock):
        return _not_here(settings, hook, about, base)
    return error(
        about,
        f"{base} answers HTTP {knock.status}, and it is not voltrail that does",
        f"let the proxy pass {settings.collector.path_prefix or '/'} unchanged to {settings.collector.listen}",
    )


def _not_here(settings: Settings, hook: Account, about: str, base: str) -> Finding:
    if hook.webhook and not all(hook.webhook.admits(host) for host in ("127.0.0.1", "::1")):
        return warning(
            about,
            f"{base} leads to voltrail, which does not admit this machine: `clients` of the account says who may call",
            "behind a proxy, `clients` must name the address that voltrail sees",
        )
    return error(
        about,
        f"{base} leads to a voltrail that has no such account there",
        "let the proxy pass the path unchanged; where settings were changed since its start, restart voltrail",
    )
