"""The signature of a push under every reading of the vendor's rule, and which clients and vehicles are accepted."""

import contextlib
import hashlib
import random
from collections.abc import Mapping
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logger.errors import Forged
from logger.sources.segway.signature import VARIANTS, Verifier, sign
from tests.helpers.segway_pushes import (
    ALERT,
    AT,
    COMPONENTS,
    FAULT,
    IDS,
    LOCATION,
    SECRET,
    STATUS,
    account,
    form,
    signed_body,
)

# Signatures of the vendor's samples with its sample secret; S1b has the other spelling of the range.
S1B = {("remainderRange" if name == "remainingRange" else name): value for name, value in STATUS.items()}
VECTORS = [
    pytest.param(STATUS, "bc7f23ee85ec687397bd0ce580144318", id="S1"),
    pytest.param(S1B, "56c11ae88b4b73c0ed1686b52e36cd10", id="S1b"),
    pytest.param(LOCATION, "7bf908759a9e25dc81dd0db84c8ccfb3", id="S2"),
    pytest.param(ALERT, "78f2b02f54bb0a8f101100d5aa33cbae", id="S3"),
    pytest.param(FAULT, "288b180195eec3a4b238017f719f6ea6", id="S4"),
    pytest.param(COMPONENTS, "5aa7ef16a7134725036379bd9b4ef93e", id="S5"),
]
SENSITIVE = (
    b"iotCode=861477038719116&platformCode=A20081&locationStatus=valid&latitude=&longitude="
    b"&note=a%20b%2Bc%26d%3De&gpsUtcTime=1591067719"
)
CLEAR = (  # the same without what could be read in two ways
    b"iotCode=861477038719116&platformCode=A20081&locationStatus=valid&latitude=&longitude="
    b"&note=a%20b%2Bc&gpsUtcTime=1591067719"
)
VERIFIER = Verifier(SECRET)


def with_signature(body: bytes, signature: str) -> bytes:
    return body + b"&signature=" + signature.encode()


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def refusal(body: bytes, verifier: Verifier = VERIFIER) -> str:
    """The reason for which this body is refused."""
    with pytest.raises(Forged) as raised:
        verifier.verify(body)
    return str(raised.value)


# ---- the vendor's rule ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fields", "signature"), VECTORS)
def test_the_signature_of_a_sample_is_the_expected_one(fields: Mapping[str, str], signature: str) -> None:
    assert sign({**IDS, **fields}, SECRET) == signature


@pytest.mark.parametrize(("fields", "signature"), VECTORS)
def test_a_sample_is_accepted_in_any_order_of_its_fields(fields: Mapping[str, str], signature: str) -> None:
    pairs = [*IDS.items(), *fields.items(), ("signature", signature)]
    for seed in range(5):
        random.Random(seed).shuffle(pairs)
        assert Verifier(SECRET).verify(form(dict(pairs))) == "decoded"


@pytest.mark.parametrize(("fields", "signature"), VECTORS)
def test_a_sample_is_refused_if_any_value_differs(fields: Mapping[str, str], signature: str) -> None:
    sent = {**IDS, **fields}
    for name in sent:
        refusal(with_signature(form({**sent, name: sent[name] + "0"}), signature))


def test_keys_are_sorted_by_ascii() -> None:
    body = b"b=1&A=2&a=3&_=4"
    assert sign({"b": "1", "A": "2", "a": "3", "_": "4"}, SECRET) == "35ad76ed569927afdb24293dfb54535b"
    assert VERIFIER.verify(with_signature(body, "35ad76ed569927afdb24293dfb54535b")) == "decoded"
    refusal(with_signature(body, "afff7258362c72b3e8917860e297692f"))


@pytest.mark.parametrize(
    ("mistake", "signature"),
    [
        ("the value of the secret is left out", "b4608af8907b72f06a8c7371c0410473"),
        ("the secret is sorted among the keys", "04acb06229af3cb51d54fbf08aaa366f"),
    ],
)
def test_a_signature_by_a_misread_rule_is_refused(mistake: str, signature: str) -> None:
    assert refusal(with_signature(form({**IDS, **ALERT}), signature)) == "wrong signature"


@pytest.mark.parametrize(
    ("rewritten", "prefix"),
    [({"online": "True"}, "f17c7be8"), ({"speed": "20.0", "odometer": "9000.0"}, "91c246bb"), ({"locked": "0"}, "")],
)
def test_values_that_were_converted_and_formatted_again_are_refused(rewritten: dict[str, str], prefix: str) -> None:
    fields = {**IDS, **STATUS}
    assert sign({**fields, **rewritten}, SECRET).startswith(prefix)
    assert refusal(with_signature(form({**fields, **rewritten}), sign(fields, SECRET))) == "wrong signature"
    assert refusal(with_signature(form(fields), sign({**fields, **rewritten}, SECRET))) == "wrong signature"


def test_another_secret_is_refused() -> None:
    assert refusal(signed_body({**IDS, **STATUS}, secret="another")) == "wrong signature"


def test_an_unknown_parameter_is_part_of_the_signature() -> None:
    assert VERIFIER.verify(signed_body({**IDS, **STATUS, "vehicleCode": "N1", "zone.id": "7"})) == "decoded"
    refusal(signed_body({**IDS, **STATUS}) + b"&vehicleCode=N1")


# ---- what the rule leaves open -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variant", "signature"),
    [("raw", "109abb9ca4d615e0df2f9417233e3d27"), ("raw-no-blanks", "")],
)
def test_a_body_signed_as_it_was_sent_is_accepted_as_raw(variant: str, signature: str) -> None:
    signature = signature or md5(
        "gpsUtcTime=1591067719&iotCode=861477038719116&locationStatus=valid&note=a%20b%2Bc%26d%3De"
        f"&platformCode=A20081&client_secret={SECRET}"
    )
    body = with_signature(SENSITIVE, signature)
    assert VERIFIER.verify(body) == variant
    assert Verifier(SECRET, (variant,)).verify(body) == variant
    assert refusal(body, Verifier(SECRET, ("decoded",))) == "wrong signature"


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param("0c3df11bf0927e0183fb08b3bd8addb7", id="decoded"),
        pytest.param("651f3d57591e476e5a7a1240f23914a8", id="decoded-no-blanks"),
    ],
)
def test_a_decoded_value_that_holds_a_separator_is_refused_though_it_is_signed(signature: str) -> None:
    assert refusal(with_signature(SENSITIVE, signature)) == "one signed text, several readings"


@pytest.mark.parametrize(
    ("variant", "text"),
    [
        (
            "decoded",
            "gpsUtcTime=1591067719&iotCode=861477038719116&latitude=&locationStatus=valid&longitude=&note=a b+c"
            "&platformCode=A20081",
        ),
        (
            "decoded-no-blanks",
            "gpsUtcTime=1591067719&iotCode=861477038719116&locationStatus=valid&note=a b+c&platformCode=A20081",
        ),
        (
            "raw",
            "gpsUtcTime=1591067719&iotCode=861477038719116&latitude=&locationStatus=valid&longitude=&note=a%20b%2Bc"
            "&platformCode=A20081",
        ),
        (
            "raw-no-blanks",
            "gpsUtcTime=1591067719&iotCode=861477038719116&locationStatus=valid&note=a%20b%2Bc&platformCode=A20081",
        ),
    ],
)
def test_each_reading_is_accepted_under_its_name_and_refused_where_it_is_not_allowed(variant: str, text: str) -> None:
    body = with_signature(CLEAR, md5(f"{text}&client_secret={SECRET}"))
    assert VERIFIER.verify(body) == variant
    assert Verifier(SECRET, (variant,)).verify(body) == variant
    for other in set(VARIANTS) - {variant}:
        assert refusal(body, Verifier(SECRET, (other,))) == "wrong signature"


def test_of_two_sets_of_fields_with_one_signed_text_only_the_plain_one_is_accepted() -> None:
    plain, hidden = {"iotCode": "1", "platformCode": "A"}, {"iotCode": "1&platformCode=A"}
    assert sign(plain, SECRET) == sign(hidden, SECRET)
    assert VERIFIER.verify(signed_body(plain)) == "decoded"
    assert refusal(signed_body(hidden)) == "one signed text, several readings"


@pytest.mark.parametrize("value", ["a&b", "a=b", "a\nb", "a\rb", "a\tb", "a\x00b", "a\x1fb", "a\x7fb"])
def test_a_signed_value_that_holds_a_separator_or_control_character_is_refused(value: str) -> None:
    assert refusal(signed_body({**IDS, **ALERT, "note": value})) == "one signed text, several readings"


@pytest.mark.parametrize("value", ["", " ", "a b", "+22.6", "100%", "Zürich", "東京", "a/b?c#d;e:f"])
def test_any_other_signed_value_is_accepted(value: str) -> None:
    assert VERIFIER.verify(signed_body({**IDS, **ALERT, "note": value})) == "decoded"


# ---- the signature itself ------------------------------------------------------------------------------------------


def test_hex_in_upper_case_is_accepted() -> None:
    fields = {**IDS, **ALERT}
    assert VERIFIER.verify(with_signature(form(fields), sign(fields, SECRET).upper())) == "decoded"


@pytest.mark.parametrize("signature", ["", "78f2b02f", "78f2b02f54bb0a8f101100d5aa33cbae0", "g" * 32, " " * 32])
def test_a_signature_that_is_no_md5_is_refused(signature: str) -> None:
    assert refusal(form({**IDS, **ALERT, "signature": signature})) == "no usable signature"


@pytest.mark.parametrize("body", [b"", b"&", b"=", b"\x00", b"\xff\xfe", form({**IDS, **ALERT})])
def test_a_body_without_a_signature_is_refused(body: bytes) -> None:
    assert refusal(body) in ("no usable signature", "keys that repeat or hold odd characters")


@pytest.mark.parametrize("name", ["Signature", "SIGNATURE", "sign"])
def test_only_the_exact_name_is_the_signature(name: str) -> None:
    fields = {**IDS, **ALERT}
    assert refusal(form({**fields, name: sign(fields, SECRET)})) == "no usable signature"


def test_a_body_with_only_a_signature_is_a_signed_message_without_fields() -> None:
    assert VERIFIER.verify(signed_body({})) == "decoded"


# ---- keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("repeat", [b"&code=2", b"&code=3", b"&c%6Fde=3", b"&c%6fde=2", b"&%63%6F%64%65="])
def test_a_repeated_key_is_refused_however_it_is_written(repeat: bytes) -> None:
    fields = {**IDS, **ALERT}
    signature = sign(fields, SECRET)
    for body in (form(fields) + repeat, repeat[1:] + b"&" + form(fields)):
        assert refusal(with_signature(body, signature)) == "keys that repeat or hold odd characters"


@pytest.mark.parametrize("second", [b"&signature=", b"&%73ignature=", b"&signature=0"])
def test_two_signatures_are_refused(second: bytes) -> None:
    assert refusal(signed_body({**IDS, **ALERT}) + second) == "keys that repeat or hold odd characters"


@pytest.mark.parametrize("key", ["", "a b", "a[0]", "a:b", "a/b", "ä", "a&b", "a=b", "a\n", "<a>"])
def test_an_odd_key_is_refused_though_it_is_signed(key: str) -> None:
    assert refusal(signed_body({**IDS, **ALERT, key: "1"})) == "keys that repeat or hold odd characters"


def test_an_ordinary_key_may_be_percent_encoded() -> None:
    assert VERIFIER.verify(signed_body({**IDS, **ALERT}).replace(b"code=", b"%63ode=")) == "decoded"


@pytest.mark.parametrize("body", [b'{"iotCode":"1","signature":"' + b"0" * 32 + b'"}', b"[]", b"null"])
def test_a_body_of_json_is_refused(body: bytes) -> None:
    assert refusal(body) in ("keys that repeat or hold odd characters", "no usable signature")


# ---- the account ---------------------------------------------------------------------------------------------------


def test_an_empty_secret_is_an_error() -> None:
    with pytest.raises(ValueError, match="an empty secret would accept what anybody signs"):
        Verifier("")


@pytest.mark.parametrize(
    ("clients", "client", "admitted"),
    [
        ((), "203.0.113.9", True),
        ((), "", True),
        (("203.0.113.9",), "203.0.113.9", True),
        (("203.0.113.9",), "203.0.113.10", False),
        (("203.0.113.0/24", "2001:db8::/32"), "203.0.113.10", True),
        (("203.0.113.0/24", "2001:db8::/32"), "2001:db8::7", True),
        (("203.0.113.0/24", "2001:db8::/32"), "2001:db9::7", False),
        (("203.0.113.0/24",), "::ffff:203.0.113.10", True),
        (("203.0.113.0/24",), "::ffff:203.0.114.10", False),
        (("203.0.113.0/24",), "", False),
        (("203.0.113.0/24",), "unknown", False),
    ],
)
def test_only_the_networks_of_the_settings_may_call(clients: tuple[str, ...], client: str, admitted: bool) -> None:
    assert account(clients=clients).webhook.admits(client) is admitted


@pytest.mark.parametrize(
    ("vehicle", "known"),
    [
        ("861477038719116", True),
        ("861477038719118", False),
        ("86147703871911", False),
        ("8614770387191160", False),
        ("86147703871911٣", False),
        ("", False),
    ],
)
def test_a_vehicle_is_known_by_its_fifteen_digits(vehicle: str, known: bool) -> None:
    assert account().is_known(vehicle) is known


def test_where_unknown_vehicles_are_accepted_a_vehicle_still_needs_fifteen_digits() -> None:
    open_to_all = account(vehicles=(), unknown_vehicles="accept")
    assert open_to_all.is_known("861477038719118")
    assert not open_to_all.is_known("none")


# ---- the fast and the full verification ----------------------------------------------------------------------------

VALUES = st.text("ab01 &=+%;/.\n\x00\x7f\x85é東\U0001f6f5", max_size=6) | st.binary(max_size=6).map(
    lambda raw: raw.decode("latin-1")
)
KEYS = st.text("abAB_.-09", min_size=1, max_size=3).filter("signature".__ne__)
FORMS = st.dictionaries(KEYS, VALUES, max_size=6)
PIECES = st.sampled_from(
    [
        b"a",
        b"b",
        b"=",
        b"&",
        b"%61",
        b"+",
        b" ",
        b"%26",
        b"%3D",
        b"signature",
        b"%73",
        b"\n",
        b"\xc3\xa9",
        b"\xff",
        b"%",
    ]
)


def full_reading(body: bytes, verifier: Verifier = VERIFIER) -> str:
    """The reading that the full verification finds, or `forged`."""
    try:
        return verifier._find_reading(body)
    except Forged:
        return "forged"


def check_agreement(body: bytes) -> None:
    """Assert that the full verification reads as decoded what the fast one accepts, be the layout new or known."""
    verifier, reading = Verifier(SECRET), full_reading(body)
    for _ in range(2):
        outcome = "forged"
        with contextlib.suppress(Forged):
            outcome = verifier.verify(body)
        assert outcome == reading
        assert not verifier._matches_plain(body) or reading == "decoded"


@settings(deadline=None)
@given(FORMS, st.randoms(use_true_random=False), st.sampled_from(["", "=", "&", "ab/ "]))
def test_fast_and_full_verification_agree_on_signed_bodies(
    fields: dict[str, str], order: random.Random, safe: str
) -> None:
    pairs = [*fields.items(), ("signature", sign(fields, SECRET))]
    order.shuffle(pairs)
    body = "&".join(f"{quote(key, safe=safe)}={quote(value, safe=safe)}" for key, value in pairs).encode()
    check_agreement(body)
    if safe == "" and all(value.isprintable() and not {"&", "="} & set(value) for value in fields.values()):
        assert VERIFIER.verify(body) == "decoded"


@settings(deadline=None)
@given(FORMS, st.data())
def test_fast_and_full_verification_agree_on_changed_signed_bodies(fields: dict[str, str], data: st.DataObject) -> None:
    body = signed_body(fields)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(body)))
        stop = data.draw(st.integers(start, min(len(body), start + 3)))
        body = body[:start] + data.draw(PIECES | st.binary(max_size=2)) + body[stop:]
    check_agreement(body)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=12).map(b"".join))
@example(b"a=1=2")
@example(b"a=1=b=2")
@example(b"a&1&b=2")
@example(b"a=1+2")
@example(b"a&1=b")
@example(b"a=b&&=")
@example(b"=")
@example(b"a=1&a=1")
@example(b"&a=1&")
def test_fast_and_full_verification_agree_on_odd_signed_bodies(body: bytes) -> None:
    check_agreement(body)
    pairs = sorted(part.partition(b"=")[::2] for part in body.split(b"&") if part)
    parts = body.replace(b"=", b"&").split(b"&")
    one_separator = sorted(zip(parts[::2], parts[1::2], strict=False))  # as if `=` and `&` were the same
    for text in (body, *(b"&".join(key + b"=" + value for key, value in each) for each in (pairs, one_separator))):
        signature = hashlib.md5(text + b"&client_secret=" + SECRET.encode(), usedforsecurity=False).hexdigest()
        check_agreement(with_signature(body, signature))
        check_agreement(b"signature=" + signature.encode() + b"&" + body)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_fast_and_full_verification_agree_on_any_bytes(body: bytes) -> None:
    check_agreement(body)


@settings(deadline=None)
@given(FORMS)
def test_a_plain_signed_body_is_verified_fast(fields: dict[str, str]) -> None:
    plain = {key: value for key, value in fields.items() if value.isascii() and value.isalnum()}
    assert Verifier(SECRET)._matches_plain(signed_body(plain))


def test_forged_bodies_do_not_fill_the_cache_of_layouts() -> None:
    verifier = Verifier(SECRET)
    for number in range(300):
        refusal(f"key{number}=1&signature={'0' * 32}".encode(), verifier)
    verifier.verify(signed_body({**IDS, "statusUtcTime": f"{AT}"}))
    assert len(verifier._layouts) == 1


def test_more_layouts_than_the_cache_holds_are_accepted() -> None:
    verifier = Verifier(SECRET)
    for number in range(300):
        assert verifier.verify(signed_body({f"key{number}": "1"})) == "decoded"
    assert len(verifier._layouts) == 256
