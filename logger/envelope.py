"""One raw message with its origin and time of receipt, a batch of them as read from the spool, and form bodies.

The signature of a form body (`a=1&b=2`) and its decoding use the same two functions, so that the text that was signed
is the text that is decoded.
"""

from urllib.parse import unquote_to_bytes

import msgspec


class Envelope(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One message as it arrived, bytes untouched.

    `source` is the account's name in the settings, `path` the kind of message, `received_at` our clock [epoch ms],
    `via` one of `push`, `poll` and `import`, and `vehicle` the one that was polled (empty where the message itself
    holds it).
    """

    source: str
    path: str
    received_at: int
    via: str
    body: bytes
    vehicle: str = ""


class Batch(msgspec.Struct, frozen=True):
    """Envelopes in the order of the spool; `sequences[i]` is that of `envelopes[i]`."""

    sequences: list[int]
    envelopes: list[Envelope]

    def __len__(self) -> int:
        return len(self.envelopes)

    def part(self, start: int, stop: int) -> "Batch":
        """Return the envelopes from index `start` up to `stop` as a batch of their own."""
        return Batch(self.sequences[start:stop], self.envelopes[start:stop])


def split_form(body: bytes) -> list[tuple[bytes, bytes]]:
    """Return the name and value of each field as they stand in the body, encoded."""
    return [(name, value) for name, _, value in (part.partition(b"=") for part in body.split(b"&") if part)]


def decode_form_text(text: bytes) -> bytes:
    """Return a name or value with `+` as a blank and `%XX` as its byte; a `%` before anything else stays."""
    return unquote_to_bytes(text.replace(b"+", b" "))
