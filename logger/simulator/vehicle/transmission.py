"""Which of a moped's messages reach the collector, and when: losses, delays, repetitions, outages of the collector."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from random import Random
from typing import Protocol

import msgspec

from logger.simulator.vehicle.messages import Message
from logger.simulator.vehicle.truth import Truth

_DELAY_S = (20, 900)
_RETRY_S = 5.0  # the vendor retries once, after this time
_LATENCY_S, _LATENCY_SPREAD = 0.35, 0.6  # log-normal: neighbours overtake each other now and then
Window = tuple[float, float]


class Push(msgspec.Struct, frozen=True):
    """One unsigned message, when it arrives, and the last word of its path."""

    sent_at: float
    path: str
    fields: dict[str, str]


class Sender(Protocol):
    """A simulated vehicle whose messages are transmitted."""

    vehicle: str
    truth: Truth

    @property
    def buffer_size(self) -> int: ...
    def pushes(self) -> Iterable[Message]: ...


class _Delivery(msgspec.Struct):
    """A message that the vehicle sends at some moment, perhaps later than it was generated."""

    at: float
    path: str
    fields: dict[str, str]
    delayed: bool


def transmit(
    sender: Sender,
    seed: int,
    lost: float = 0.01,
    delayed: float = 0.02,
    repeated: float = 0.01,
    outages: Sequence[Window] = (),
) -> list[Push]:
    """Return the pushes that arrive, in the order of arrival, and count in the sender's truth what became of all.

    `lost`, `delayed` and `repeated` are shares of the pushes. In an outage [epoch s] the collector answers nothing: a
    push is retried after 5 s, then lost.
    """
    chance, truth = Random(f"{seed} {sender.vehicle} wire"), sender.truth
    messages = list(sender.pushes())
    pushes: list[Push] = []
    for message in _deliveries(messages, truth, sender.buffer_size):
        draw = chance.random()
        delay_s = chance.uniform(*_DELAY_S) if lost <= draw < lost + delayed else 0.0
        latency_s = _LATENCY_S * chance.lognormvariate(0, _LATENCY_SPREAD)
        is_repeated = chance.random() < repeated
        arrives_at = _arrival(outages, message.at + delay_s + latency_s)
        if draw < lost or arrives_at is None:
            continue
        message.delayed |= delay_s > 0
        pushes += _arrivals(message, arrives_at, is_repeated, outages, truth)
    truth.generated, truth.lost = len(messages), len(messages) - (len(pushes) - truth.repeated)
    truth.distinct_rows = len({_row_key(push) for push in pushes})
    return sorted(pushes, key=lambda push: push.sent_at)


def _arrivals(
    message: _Delivery, arrives_at: float, is_repeated: bool, outages: Sequence[Window], truth: Truth
) -> list[Push]:
    """Return the push, twice if it is repeated, and count it."""
    truth.delayed += message.delayed
    if message.path == "status":
        truth.last_status_at = max(truth.last_status_at, message.at)
    moments = [arrives_at]
    if is_repeated and (again_at := _arrival(outages, arrives_at + _RETRY_S)) is not None:
        truth.repeated += 1
        moments.append(again_at)
    return [Push(at, message.path, message.fields) for at in moments]


def _deliveries(messages: list[Message], truth: Truth, buffer_size: int) -> list[_Delivery]:
    """Return what the vehicle sends: of the messages without network, the last few when the network is back."""
    windows = [(row["started_at"], row["finished_at"]) for row in truth.offline]
    deliveries: list[_Delivery] = []
    waiting: dict[float, list[Message]] = {}
    for at, path, fields in messages:
        window = _window_around(windows, at)
        if window is None:
            deliveries.append(_Delivery(at, path, fields, delayed=False))
        else:
            waiting.setdefault(window[1], []).append((at, path, fields))
    for online_at, generated in waiting.items():
        buffered = generated[-buffer_size:] if buffer_size else []
        deliveries += [
            _Delivery(online_at + number, path, fields, delayed=True)
            for number, (_, path, fields) in enumerate(buffered)
        ]
    return sorted(deliveries, key=lambda each: each.at)


def _window_around(windows: Sequence[Window], at: float) -> Window | None:
    number = bisect_right(windows, (at, float("inf"))) - 1
    return windows[number] if number >= 0 and at < windows[number][1] else None


def _arrival(outages: Sequence[Window], at: float) -> float | None:
    """Return when the collector takes the push: at once, at the retry, or never."""
    if not _is_down(outages, at):
        return at
    return None if _is_down(outages, at + _RETRY_S) else at + _RETRY_S


def _is_down(outages: Sequence[Window], at: float) -> bool:
    return any(begin <= at < end for begin, end in outages)


def _row_key(push: Push) -> tuple[str, ...]:
    """Return the key of the row that the push makes: table, device time, and of an event its kind and code."""
    fields = push.fields
    time = fields.get("statusUtcTime") or fields["gpsUtcTime"]
    return push.path, time, fields.get("code") or fields.get("type", "")
