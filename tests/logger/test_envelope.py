"""Form bodies, split and decoded."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger.envelope import decode_form_text, split_form


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=5))
def test_what_a_client_encodes_is_decoded_as_it_was(fields: dict[str, str]) -> None:
    body = urlencode(fields, errors="surrogatepass").encode()
    pairs = {decode_form_text(name).decode(): decode_form_text(value).decode() for name, value in split_form(body)}
    assert pairs == fields


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        (b"", []),
        (b"a=1&&b=2&", [(b"a", b"1"), (b"b", b"2")]),
        (b"a", [(b"a", b"")]),
        (b"a=b=c", [(b"a", b"b=c")]),
        (b"a=%31+%zz", [(b"a", b"%31+%zz")]),
    ],
)
def test_a_body_is_split_without_being_decoded(body: bytes, pairs: list[tuple[bytes, bytes]]) -> None:
    assert split_form(body) == pairs


def test_a_percent_sign_before_anything_but_two_digits_stays() -> None:
    assert decode_form_text(b"%31+%zz%") == b"1 %zz%"
