"""The webhook: signatures by the vendor's published vectors, and a test of the address that signs nothing else."""

import hashlib
import hmac
import json
from pathlib import Path

import pytest

from logger.envelope import Envelope
from logger.errors import Forged
from logger.settings.schema import Smartcar
from logger.sources.contract import Reply
from logger.sources.pairing import PAIRING_S, open_window
from logger.sources.smartcar.webhook import SmartcarWebhook
from tests.helpers.command_line import voltrail
from tests.helpers.source_kits import account_of

EVENT = b'{"eventId":"1","eventType":"VEHICLE_STATE","data":{"vehicle":{"id":"car-1"},"signals":[]}}'
LEGACY = b'{"version":"2.0","eventName":"scheduled","mode":"live","payload":{"vehicles":[]}}'


def sign(body: bytes, key: str = "amt") -> str:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def webhook(folder: Path, at: float | None = None) -> SmartcarWebhook:
    account = Smartcar(name="cars", management_token="amt")
    return SmartcarWebhook(account, folder) if at is None else SmartcarWebhook(account, folder, lambda: at)


def push(hook: SmartcarWebhook, body: bytes, signature: str | None = None) -> Envelope | Reply:
    headers = {} if signature == "" else {"sc-signature": sign(body) if signature is None else signature}
    return hook.accept("POST", "", headers, body)


def address_test(challenge: object, version: int = 4) -> bytes:
    if version == 4:
        return json.dumps({"eventType": "VERIFY", "data": {"challenge": challenge}}).encode()
    return json.dumps({"version": "2.0", "eventName": "verify", "payload": {"challenge": challenge}}).encode()


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (b"challenge", "9baf5a7464bd86740ad5a06e439dcf535a075022ed2c92d74efacf646d79328e"),
        (b'{"pizza":"pasta"}', "4c05a8da471f05156ad717baa4017acd13a3a809850b9ca7d3301dcaaa854f70"),
    ],
)
def test_the_published_signatures_are_right(body: bytes, signature: str, tmp_path: Path) -> None:
    assert isinstance(push(webhook(tmp_path), body, signature), Envelope)
    with pytest.raises(Forged):
        push(webhook(tmp_path), body + b" ", signature)


def test_an_event_is_wrapped_with_its_bytes_untouched_by_its_version(tmp_path: Path) -> None:
    hook = webhook(tmp_path)
    for body, path in ((EVENT, "webhook"), (LEGACY, "webhook-v2"), (EVENT + b"\n", "webhook")):
        found = push(hook, body)
        assert isinstance(found, Envelope)
        assert (found.source, found.path, found.via, found.body) == ("cars", path, "push", body)
    assert hook.signatures == {"hmac-sha256": 3}


@pytest.mark.parametrize("signature", ["", "0" * 64, "x", "é", sign(EVENT, "another key"), sign(EVENT)[:-1]])
def test_an_event_with_a_wrong_signature_or_none_is_refused(signature: str, tmp_path: Path) -> None:
    hook = webhook(tmp_path)
    with pytest.raises(Forged):
        push(hook, EVENT, signature)
    assert not hook.signatures


@pytest.mark.parametrize("version", [2, 4])
def test_a_test_of_the_address_is_answered_while_a_person_pairs(version: int, tmp_path: Path) -> None:
    open_window(tmp_path, "cars")
    reply = push(webhook(tmp_path), address_test("challenge", version), "")
    assert isinstance(reply, Reply)
    assert (reply.status, json.loads(reply.body)) == (200, {"challenge": sign(b"challenge")})
    assert isinstance(push(webhook(tmp_path), address_test("any-abcd", version)), Reply)  # a signed one, too


def test_nobody_pairs_no_answer_even_to_a_signed_test(tmp_path: Path) -> None:
    with pytest.raises(Forged, match="nobody pairs"):
        push(webhook(tmp_path), address_test("challenge"))
    open_window(tmp_path, "another")
    with pytest.raises(Forged, match="nobody pairs"):
        push(webhook(tmp_path), address_test("challenge"), "")


def test_the_window_closes_by_itself_and_a_clock_that_went_back_does_not_open_it(tmp_path: Path) -> None:
    open_window(tmp_path, "cars")
    ends_at = float((tmp_path / "pairing-cars").read_text())
    for at in (ends_at, ends_at + 1, ends_at - PAIRING_S - 1, 0.0):
        with pytest.raises(Forged, match="nobody pairs"):
            push(webhook(tmp_path, at), address_test("challenge"), "")
    assert isinstance(push(webhook(tmp_path, ends_at - 1), address_test("challenge"), ""), Reply)


def test_a_window_gives_few_answers(tmp_path: Path) -> None:
    open_window(tmp_path, "cars")
    hook = webhook(tmp_path)
    for number in range(10):
        assert isinstance(push(hook, address_test(f"challenge-{number}"), ""), Reply)
    with pytest.raises(Forged, match="nobody pairs"):
        push(hook, address_test("challenge-11"), "")


@pytest.mark.parametrize(
    "challenge",
    [EVENT.decode(), '{"a":1}', "two words", "", "x" * 129, "a\nb", "é", None, 5, ["challenge"], {"a": "b"}],
)
def test_no_text_that_might_be_an_event_is_ever_signed(challenge: object, tmp_path: Path) -> None:
    open_window(tmp_path, "cars")
    with pytest.raises(Forged, match="challenge"):
        push(webhook(tmp_path), address_test(challenge), "")


def test_what_a_test_answers_is_never_a_signature_of_an_event(tmp_path: Path) -> None:
    open_window(tmp_path, "cars")
    reply = push(webhook(tmp_path), address_test("a-challenge"), "")
    assert isinstance(reply, Reply)
    with pytest.raises(Forged):
        push(webhook(tmp_path), EVENT, json.loads(reply.body)["challenge"])


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"eventType":5}', b'{"eventType":"VERIFY"}', b"\xff", b"[" * 9999]
)
def test_odd_bodies_without_a_signature_are_refused_and_do_no_harm(body: bytes, tmp_path: Path) -> None:
    with pytest.raises(Forged):
        push(webhook(tmp_path), body, "")


def test_another_method_is_not_taken(tmp_path: Path) -> None:
    reply = webhook(tmp_path).accept("GET", "", {}, b"")
    assert isinstance(reply, Reply)
    assert reply.status == 405


def test_without_a_management_token_there_is_no_webhook() -> None:
    assert account_of("smartcar", management_token="").webhook is None


def test_a_person_opens_the_window_on_the_command_line_and_learns_what_to_register(tmp_path: Path) -> None:
    (tmp_path / "amt").write_text("amt")
    settings = '[collector]\ndata_dir = "data"\npath_prefix = "/p"\npublic_url = "https://ours.example"\n'
    settings += '[[sources]]\nkind = "smartcar"\nname = "cars"\nmanagement_token_file = "amt"\n'
    (tmp_path / "voltrail.toml").write_text(settings)
    done = voltrail(tmp_path, "login", "cars", "--pair")
    assert done.returncode == 0, done.stderr
    assert "register https://ours.example/p/cars with the vendor within 15 minutes" in done.stdout
    assert isinstance(push(webhook(tmp_path / "data"), address_test("challenge"), ""), Reply)
