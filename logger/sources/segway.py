"""Segway "API of Gateway": signed pushes of mopeds and scooters. Protocol, units and traps: `segway.md` beside it."""

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Mapping, Sequence
from operator import itemgetter
from urllib.parse import unquote_to_bytes

from logger.config import Model
from logger.config import Segway as Account
from logger.errors import Forged
from logger.fields import Band, Field, Rows, Shape

_KINDS = ("status", "location", "alert", "fault", "components")
PATHS: Mapping[str, str] = {f"/v2/vehicle/{kind}": kind for kind in _KINDS}
VARIANTS = ("decoded", "decoded-no-blanks", "raw", "raw-no-blanks")

# ---- the signature -------------------------------------------------------------------------------------------------

_SAFE = bytes(code for code in range(0x20, 0x7F) if chr(code) not in "%+")  # means itself under every reading
_KEY = re.compile(rb"[A-Za-z0-9_.-]+")
_HEX = re.compile(rb"[0-9A-Fa-f]{32}")
_IMEI = re.compile(r"[0-9]{15}")
_AMBIGUOUS = re.compile(rb"[&=\x00-\x1f\x7f]")
_LAYOUTS = 256  # orders of keys that are remembered; a fleet has a handful, one a firmware and message
_Pairs = list[tuple[bytes, bytes]]


class _Layout:
    """One order of keys, checked once: how such a body reads, and how its signed text is put together."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        if len(set(keys)) != len(keys) or b"signature" not in keys or not all(map(_KEY.fullmatch, keys)):
            raise Forged("no usable signature")
        order = sorted((key, place) for place, key in enumerate(keys) if key != b"signature")
        self.body = b"&".join(key + b"=%b" for key in keys)
        self.text = b"&".join(key + b"=%b" for key, _ in order)
        self.place = keys.index(b"signature")
        self._places = [place for _, place in order]
        self.pick = itemgetter(*self._places) if len(order) > 1 else self._few

    def _few(self, values: list[bytes]) -> tuple[bytes, ...]:
        return tuple(values[place] for place in self._places)


def _layout(keys: tuple[bytes, ...]) -> _Layout | None:
    try:
        return _Layout(keys)
    except Forged:
        return None


class Verifier:
    """Checks bodies against the secret of one account, under the readings of the vendor's rule that are allowed.

    The rule: all fields but `signature`, sorted by key, as `k=v` joined by `&`, then `&client_secret=` and the
    secret; MD5 in hex. What it leaves open is tried in the order of `VARIANTS`. Nearly every body is plain ASCII
    without `%` and `+`, where the first reading needs no decoding: `_plain` does only that.
    """

    def __init__(self, secret: str, variants: tuple[str, ...] = VARIANTS) -> None:
        if not secret:
            raise ValueError("an empty secret would accept what anybody signs")
        self._ending = b"&client_secret=" + secret.encode()
        self._variants = variants
        self._layouts: dict[tuple[bytes, ...], _Layout] = {}

    def verify(self, body: bytes) -> str:
        """The reading under which the signature holds. Raises `Forged`."""
        if self._plain(body):
            return "decoded"
        return self._slow(body)

    def _plain(self, body: bytes) -> bool:
        if "decoded" not in self._variants or body.translate(None, _SAFE):
            return False
        parts = body.replace(b"=", b"&").split(b"&")
        values = parts[1::2]
        keys = tuple(parts[::2])
        layout = self._layouts.get(keys) or _layout(keys)
        if layout is None or len(values) * 2 != len(parts) or layout.body % tuple(values) != body:
            return False
        signed = self._signed(layout.text % layout.pick(values))
        if not hmac.compare_digest(signed, values[layout.place]):
            return False
        if len(self._layouts) < _LAYOUTS:  # only what is signed right: no forger fills this
            self._layouts.setdefault(keys, layout)
        return True

    def _slow(self, body: bytes) -> str:
        raw = [(key, value) for key, _, value in (part.partition(b"=") for part in body.split(b"&") if part)]
        decoded = [(_decoded(key), _decoded(value)) for key, value in raw]
        signature = _signature(decoded)
        for variant in self._variants:
            pairs = decoded if variant.startswith("decoded") else raw
            if hmac.compare_digest(self._signed(_text(pairs, blanks=not variant.endswith("no-blanks"))), signature):
                if variant.startswith("decoded") and any(_AMBIGUOUS.search(text) for pair in decoded for text in pair):
                    raise Forged("one signed text, several readings")
                return variant
        raise Forged("wrong signature")

    def _signed(self, text: bytes) -> bytes:
        return hashlib.md5(text + self._ending, usedforsecurity=False).hexdigest().encode()


def _decoded(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))


def _signature(pairs: _Pairs) -> bytes:
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys) or not all(map(_KEY.fullmatch, keys)):
        raise Forged("keys that repeat or hold odd characters")
    signature = dict(pairs).get(b"signature", b"")
    if not _HEX.fullmatch(signature):
        raise Forged("no usable signature")
    return signature.lower()


def _text(pairs: _Pairs, *, blanks: bool) -> bytes:
    signed = sorted((key, value) for key, value in pairs if key != b"signature" and (value or blanks))
    return b"&".join(key + b"=" + value for key, value in signed)


def sign(fields: Mapping[str, str], secret: str) -> str:
    """The signature of a push with these decoded fields, for simulated vehicles and tests."""
    text = _text([(key.encode(), value.encode()) for key, value in fields.items()], blanks=True)
    return hashlib.md5(text + b"&client_secret=" + secret.encode(), usedforsecurity=False).hexdigest()


# ---- what the messages say -----------------------------------------------------------------------------------------

FAULTS: Mapping[str, Mapping[str, str]] = {
    # The vendor's table holds for the E-moped alone; another model's codes are kept without a text.
    "E-moped": {
        "E0": "ECU communication",
        "E1": "backup battery",
        "E2": "RTC (real-time clock)",
        "E3": "file system",
        "E4": "I2C",
        "E5": "GNSS",
        "E6": "4G modem",
        "E7": "Bluetooth",
        "E8": "NFC",
        "E9": "G-sensor",
        "10": "ECU communication",
        "11": "controller under-voltage",
        "12": "motor Hall sensor",
        "13": "MOSFET",
        "14": "throttle",
        "15": "brake switch",
        "16": "configuration save",
        "17": "dashboard communication",
        **{code: "reserved" for code in "18 27 28 29 30 36 37 40 43 44 45 46".split()},
        "19": "battery 1 temperature sensor",
        "20": "battery 1 communication",
        "21": "battery 1 default serial",
        "22": "battery 1 password",
        "23": "battery 2 temperature sensor",
        "24": "battery 2 communication",
        "25": "battery 2 default serial",
        "26": "battery 2 password",
        "31": "vehicle default serial",
        "32": "vehicle password",
        "33": "dashboard upgrade failed",
        "34": "temperature detection",
        "35": "dashboard-ECU communication",
        "38": "electric lock",
        "39": "storage not locked",
        "41": "handlebar lock not in place",
        "42": "tail box not locked",
        "47": "battery compartment unlocked",
    }
}
FAULT_SYSTEMS: Mapping[str, Mapping[str, str]] = {
    # The vendor counts 10 IoT, 5 drive, 13 BMS and 20 central control codes without listing them: 10 and 15 fit
    # either of drive and central control, so that neither is named.
    "E-moped": {
        **{f"E{digit}": "IoT" for digit in range(10)},
        **{str(code): "drive" for code in range(11, 15)},
        **{str(code): "BMS" for code in range(18, 31)},
        **{str(code): "centralControl" for code in (16, 17, *range(31, 48))},
    }
}
ALERTS: Mapping[str, str] = {
    "1": "illegal moving",
    "2": "fell down while locked",  # a 2 that goes may also end a 4: the vendor has no "4 gone"
    "3": "dismantling",
    "4": "fell down while unlocked",
    "10": "battery 1 taken out",
    "11": "battery 2 taken out",
    "12": "low power",
}
COMPONENTS: Mapping[str, str] = {"1": "saddle", "2": "tail box", "4": "helmet"}
_COMPONENT_STATES: Mapping[str, str] = {
    "1+1": "unlocked",
    "1+2": "locked",
    "2+1": "unlocked",
    "2+2": "locked",
    "4+1": "returned",  # the helmet's lock has the inverted sense: unlock = put in, lock = taken out
    "4+2": "taken",
}

_MILLIVOLT_OR_CENTIVOLT = (Band(0, 1000, 0.01), Band(2500, 6001, 0.001))  # only 0.01 V fits 342 and 412; mV by size
_STATUS_TIME, _FIX_TIME = "statusUtcTime", "gpsUtcTime|gpsUTCTime"


def status_fields(model: Model) -> tuple[Field, ...]:
    """What a status says, pushed or queried; `model` knows the scales."""
    return (
        Field(path="online", to="online"),
        Field(path="locked", to="locked"),
        Field(path="lockVoltage", to="lock_voltage_v", unit="0.01 V or mV", bands=_MILLIVOLT_OR_CENTIVOLT),
        Field(path="networkSignal", to="network_signal"),
        Field(path="charging", to="charging"),
        Field(
            path="charging",
            to="charge_state",
            choices={"true": "charging", "1": "charging", "false": "unknown", "0": "unknown"},
        ),
        Field(path="powerPercent", to="soc_pct", unit="%"),
        Field(path="speedMode", to="ride_mode", unknown=("0",)),
        Field(path="speed", to="speed_kmh", unit="km/h", scale=model.speed_scale),
        Field(path="odometer", to="odometer_m", unit="m", scale=model.odometer_scale),
        Field(path="remainingRange|remainderRange", to="range_m", unit="10 m", scale=10),
        Field(path="totalRidingSecs", to="ride_time_s", unit="s"),
    )


_LOCATION = (
    Field(path="locationStatus", to="fix_valid", choices={"valid": True, "invalid": False}),
    Field(path="latitude", to="lat_deg", unit="deg"),
    Field(path="longitude", to="lon_deg", unit="deg"),
    Field(path="satelliteNumber", to="satellites"),
    Field(path="hdop", to="hdop"),
    Field(path="altitude", to="altitude_m", unit="m"),
)
_ALERT = (
    Field(path="code", to="code"),
    Field(path="code", to="text", choices=ALERTS, lookup=True),
    Field(path="alertStatus", to="state", choices={"0": "appeared", "1": "cleared"}),
)
_COMPONENT = (
    Field(path="type", to="code"),
    Field(path="type", to="text", choices=COMPONENTS, lookup=True),
    Field(path="type+status", to="state", choices=_COMPONENT_STATES),
)


def _fault(model: str) -> tuple[Field, ...]:
    return (
        Field(path="code", to="code"),
        Field(path="code", to="text", choices=FAULTS.get(model, {}), lookup=True),
        Field(path="code", to="system", choices=FAULT_SYSTEMS.get(model, {}), lookup=True),
        Field(path="faultStatus", to="state", choices={"0": "appeared", "1": "cleared"}),
    )


def _shape(needs: tuple[tuple[str, ...], ...], forbids: tuple[str, ...], *rows: Rows) -> Shape:
    return Shape("iotCode", needs, forbids, rows, identity="signature", bound="platformCode")


def shapes(name: str, model: Model) -> dict[str, Shape]:
    """What each push of this model says, by the last word of its path.

    The path is not signed. So `needs` and `forbids` keep a message from being read as one of another kind; they
    demand nothing that only the vendor's samples show.
    """
    event = "code"
    return {
        "status": _shape(
            (("statusUtcTime",), ("online", "locked", "powerPercent", "odometer")),
            ("alertStatus", "faultStatus"),
            Rows("status", _STATUS_TIME, status_fields(model)),
            Rows("location", _FIX_TIME, _LOCATION),  # other models send their position along
        ),
        "location": _shape(
            (("gpsUtcTime", "gpsUTCTime", "locationStatus"),),
            ("alertStatus", "faultStatus"),
            Rows("location", _FIX_TIME, _LOCATION),
        ),
        "alert": _shape(((event,),), ("faultStatus",), Rows("event", _STATUS_TIME, _ALERT, {"kind": "alert"})),
        "fault": _shape(((event,),), ("alertStatus",), Rows("event", _STATUS_TIME, _fault(name), {"kind": "fault"})),
        "components": _shape(
            (("type",),),
            ("alertStatus", "faultStatus"),
            Rows("event", _STATUS_TIME, _COMPONENT, {"kind": "component"}),
        ),
    }


_WHO = re.compile(rb"(?:^|&)iotCode=([0-9]+)")


def speaks_of(push: bytes) -> str:
    """The vehicle of a push, as far as a glance shows it; empty where it does not."""
    found = _WHO.search(push)
    return found[1].decode() if found else ""


# ---- the account ---------------------------------------------------------------------------------------------------


class Segway:
    """One account that pushes to us, and whose cloud may be asked.

    `shapes` says what its messages mean, `variants` what they mean where these vehicles of another model send them.
    """

    provider = "segway"
    paths = PATHS

    def __init__(
        self,
        account: Account,
        shapes: Mapping[str, Shape],
        variants: Sequence[tuple[frozenset[str], Mapping[str, Shape]]] = (),
    ) -> None:
        self.name = account.name
        self.bound = account.client_id
        self.vehicles = tuple(account.vehicles)
        self.shapes, self.variants = shapes, variants
        self._verifier = Verifier(account.client_secret, account.signature or VARIANTS)
        self._known = frozenset(account.vehicles)
        self._accepts_unknown = account.unknown_vehicles == "accept"
        self._networks = tuple(ipaddress.ip_network(client) for client in account.clients)

    def verify(self, body: bytes) -> str:
        """Which reading of the signature rule this body fits. Raises `Forged`."""
        return self._verifier.verify(body)

    def admits(self, client: str) -> bool:
        """Whether this client address may call."""
        if not self._networks:
            return True
        try:
            address = ipaddress.ip_address(client)
        except ValueError:  # a proxy that hides its caller
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._networks)

    def speaks_of(self, push: bytes) -> str:
        """The vehicle of a push, as far as a glance shows it; empty where it does not."""
        return speaks_of(push)

    def stranger(self, vehicle: str) -> bool:
        """Whether this is no number of a vehicle (an IMEI, 15 digits) that the account knows."""
        return not _IMEI.fullmatch(vehicle) or not (self._accepts_unknown or vehicle in self._known)
