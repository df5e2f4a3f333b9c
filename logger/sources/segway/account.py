"""One Segway account: its vehicles, its signed pushes, and its cloud."""

import re
import time
from collections.abc import Mapping

from logger.envelope import Envelope
from logger.errors import Refused
from logger.mapping import Shape
from logger.settings.schema import Segway, Settings
from logger.sources.contract import Account, Cloud, Glance, PushOutcome, Reply, Traits, Webhook
from logger.sources.models import vehicles_by_model
from logger.sources.networks import Networks
from logger.sources.segway.api import SegwayCloud
from logger.sources.segway.interval import SegwayInterval
from logger.sources.segway.messages import PATHS, answer_shapes, glance, shapes
from logger.sources.segway.signature import VARIANTS, Verifier

_IMEI = re.compile(r"[0-9]{15}")
MAX_FIELDS = 64
_JSON = (b"content-type", b"application/json")


class SegwayAccount(Account):
    """A source of kind `segway`: it pushes, and it may be polled.

    `shapes` are its messages as vehicles of the account's model send them, `variants` as those of another model do.
    """

    provider = "segway"
    traits = Traits(lock="use", swappable=True, cadence_s=900)  # a position every 900 s while locked

    def __init__(self, account: Segway, settings: Settings) -> None:
        self.name = account.name
        self.account_id = account.client_id
        self.vehicles = account.listed
        self.shapes = _shapes(account.model, settings)
        self.variants = [
            (vehicles, _shapes(model, settings)) for model, vehicles in vehicles_by_model(account, settings)
        ]
        self.webhook, self.interval = SegwayWebhook(account), SegwayInterval(account)
        self._account = account
        self._known = frozenset(account.listed)

    def cloud(self) -> Cloud:
        """Its cloud, by region. Raises `ConfigError` where neither `client_id` nor `base_url` names one."""
        return SegwayCloud(self._account)

    def is_known(self, vehicle: str) -> bool:
        """Whether this is the number of a vehicle (an IMEI, 15 digits) that the account lists, or accepts."""
        listed = vehicle in self._known or self._account.unknown_vehicles == "accept"
        return listed and bool(_IMEI.fullmatch(vehicle))

    def glance(self, message: Envelope) -> Glance:
        """The vehicle and state of a push or an answer."""
        return glance(message)


class SegwayWebhook(Webhook):
    """The pushes of one account: forms, signed with its secret."""

    paths = PATHS
    max_body_bytes = 16 * 1024

    def __init__(self, account: Segway) -> None:
        self._name = account.name
        self._verifier = Verifier(account.client_secret, account.signature or VARIANTS)
        self.signatures = self._verifier.matched
        self._clients = Networks(account.clients)

    def admits(self, client: str) -> bool:
        """Whether this client address may call."""
        return self._clients.admits(client)

    def accept(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Envelope | Reply:
        """Wrap a push with a right signature. Raises `Forged`, or `Refused` for too many fields."""
        if method != "POST":
            return _NOT_POST
        if body.count(b"&") >= MAX_FIELDS:
            raise Refused("too large")
        self._verifier.verify(body)
        return Envelope(self._name, PATHS[path], time.time_ns() // 1_000_000, "push", body)

    def reply(self, outcome: PushOutcome) -> Reply:
        """What Segway expects: 200 with code 0, else it repeats the push."""
        return _REPLIES[outcome]


def _error(status: int, message: str, *headers: tuple[bytes, bytes]) -> Reply:
    return Reply(status, f'{{"code":{status},"message":"{message}"}}'.encode(), (_JSON, *headers))


_NOT_POST = _error(405, "POST only")
_TOO_LARGE = f"at most {SegwayWebhook.max_body_bytes} bytes and {MAX_FIELDS} fields"
_REPLIES: Mapping[PushOutcome, Reply] = {
    "taken": Reply(200, b'{"code":0}', (_JSON,)),
    "forged": _error(401, "signature"),
    "refused": _error(413, _TOO_LARGE, (b"connection", b"close")),
    "full": _error(503, "not stored; send it again", (b"retry-after", b"5")),
    "unknown": _error(404, "nothing here"),
}


def _shapes(model: str, settings: Settings) -> dict[str, Shape]:
    return {**shapes(model, settings.model(model)), **answer_shapes(settings.model(model))}
