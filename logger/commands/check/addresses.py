"""Whether pushes can come in: at the port, and at the public address that is registered with the vendor."""

import asyncio
import socket
from collections.abc import Iterator, Sequence

import httpx
import msgspec

from logger.commands.check.finding import Finding, error, ok, warning
from logger.commands.output import one_line
from logger.envelope import Envelope
from logger.errors import ConfigError, Retry
from logger.locks import is_locked, run_lock
from logger.receive.app import NOT_FOUND, OK, Receiver
from logger.receive.metrics import ReceiverMetrics
from logger.service.receiver import http_server
from logger.service.supervisor import listening
from logger.settings.schema import Settings
from logger.sources import accounts
from logger.sources.contract import Account, PushOutcome
from logger.spool.group_commit import GroupCommit

_TIMEOUT_S = 10.0
_LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # how an address that means all is reached


def is_running(settings: Settings) -> bool:
    """Return whether a `voltrail run` uses the data folder now."""
    return is_locked(run_lock(settings.data_dir))


def check_port(settings: Settings) -> Iterator[Finding]:
    """Check that the address of `listen` is free, or answered by the voltrail that is running."""
    listen = settings.collector.listen
    if is_running(settings):
        if _is_answering(settings):
            yield ok("port", f"{listen} is answered by the voltrail that is running")
        else:
            yield error(
                "port",
                f"a voltrail is running on {settings.data_dir} and does not answer at {listen}",
                "see its log; where `listen` was changed since its start, restart it",
            )
        return
    try:
        with listening(settings.collector):
            yield ok("port", f"{listen} is free; no voltrail is running here")
    except ConfigError as failure:
        yield error("port", str(failure), "end the program that holds it (`ss -ltnp` names it), or change `listen`")


def _is_answering(settings: Settings) -> bool:
    host, number = settings.collector.address
    host = _LOOPBACK.get(host, host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{number}/healthz"
    try:
        with httpx.Client(trust_env=False, timeout=_TIMEOUT_S) as http:
            return http.get(url).content == OK.body
    except httpx.HTTPError:
        return False


# ---- the address that is registered with the vendor ----------------------------------------------------------------


class PushAnswer(msgspec.Struct, frozen=True):
    """The answer to an unsigned push to an account: HTTP status and body, or why there is none."""

    status: int = 0
    body: bytes = b""
    failure: str = ""


def check_push_addresses(settings: Settings) -> Iterator[Finding]:
    """Push without a signature to each account by its public address: our own refusal proves that it leads here."""
    pushing = [each for each in accounts(settings).values() if each.webhook]
    collector = settings.collector
    if not collector.public_url:
        yield from (_not_tried(settings, account) for account in pushing)
        return
    if collector.public_url.startswith("http://"):
        yield warning(
            "public_url", "without TLS, anybody who reads the traffic can repeat a push", "put a TLS proxy in front"
        )
    try:
        answers = asyncio.run(_test_pushes(settings, pushing))
    except ConfigError as failure:
        yield warning("public_url", f"not tried: {failure}", "free the port first, then check again")
        return
    for account, answer in zip(pushing, answers, strict=True):
        yield _reachable(settings, account, answer)


def _not_tried(settings: Settings, account: Account) -> Finding:
    return warning(
        f"push address {account.name}",
        "not tried: there is no public_url in [collector]",
        f"set it to the https://HOST that leads here, and {register(settings, account)}",
    )


def register(settings: Settings, account: Account) -> str:
    """Return what to register with the vendor of this account."""
    first = _first_path(account)
    more = f", who adds {first} and so on" if first else ""
    return f"register {settings.collector.push_address(account.name)} with the vendor{more}"


def _first_path(account: Account) -> str:
    return next(iter(account.webhook.paths), "") if account.webhook else ""


def _is_reply(account: Account, outcome: PushOutcome, answer: PushAnswer) -> bool:
    reply = account.webhook.reply(outcome) if account.webhook else None
    return reply is not None and (answer.status, answer.body) == (reply.status, reply.body)


async def _test_pushes(settings: Settings, pushing: Sequence[Account]) -> list[PushAnswer]:
    """Push to each account's address; where no voltrail is running, serve it for this moment."""
    if is_running(settings):
        return await _push_to_all(settings, pushing)
    with listening(settings.collector) as listener:
        return await _serve_and_push(settings, listener, pushing)


async def _serve_and_push(settings: Settings, listener: socket.socket, pushing: Sequence[Account]) -> list[PushAnswer]:
    commits = GroupCommit(_refuse)  # a real push that comes in meanwhile is answered 503, and sent again
    metrics = ReceiverMetrics(dict)
    own = {account.name: account for account in pushing}
    server = http_server(Receiver(own, settings.collector.path_prefix, commits, metrics, lambda: "only a check"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        return await _push_to_all(settings, pushing)
    finally:
        server.should_exit = True
        await serving
        await commits.close()


def _refuse(_: Sequence[Envelope]) -> int:
    raise Retry("this is only a check")


async def _push_to_all(settings: Settings, pushing: Sequence[Account]) -> list[PushAnswer]:
    async with httpx.AsyncClient(timeout=_TIMEOUT_S) as http:
        addresses = [settings.collector.push_address(account.name) + _first_path(account) for account in pushing]
        return await asyncio.gather(*(_push(http, address) for address in addresses))


async def _push(http: httpx.AsyncClient, address: str) -> PushAnswer:
    try:
        answer = await http.post(address, data={"voltrail": "check"})
    except (httpx.HTTPError, httpx.InvalidURL) as failure:
        return PushAnswer(failure=one_line(f"{type(failure).__name__}: {failure}").rstrip(": "))
    return PushAnswer(answer.status_code, answer.content)


def _reachable(settings: Settings, account: Account, answer: PushAnswer) -> Finding:
    about, base = f"push address {account.name}", settings.collector.push_address(account.name)
    if answer.failure:
        return error(
            about,
            f"{base} cannot be reached from this machine: {answer.failure}",
            "check DNS, certificate, firewall and proxy; some routers do not lead back in: then try from elsewhere",
        )
    if _is_reply(account, "forged", answer) or _is_reply(account, "refused", answer):
        return ok(about, f"{base} leads to voltrail, seen from this machine")
    if answer == PushAnswer(404, NOT_FOUND.body) or _is_reply(account, "unknown", answer):
        return _wrong_path(settings, account, about, base)
    return error(
        about,
        f"{base} answers HTTP {answer.status}, and it is not voltrail that does",
        f"let the proxy pass {settings.collector.path_prefix or '/'} unchanged to {settings.collector.listen}",
    )


def _wrong_path(settings: Settings, account: Account, about: str, base: str) -> Finding:
    if account.webhook and not all(account.webhook.admits(host) for host in ("127.0.0.1", "::1")):
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
