"""Envelope: one raw message, where it came from and when; and a batch of them out of the spool."""

import msgspec


class Envelope(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One message as it arrived, bytes untouched.

    `source` is the account's name in the settings, `path` which of its messages this is, `received_at`
    our clock [epoch ms], `via` one of `push`, `poll`, `import`, and `vehicle` whom we asked
    (empty where the message itself says it).
    """

    source: str
    path: str
    received_at: int
    via: str
    body: bytes
    vehicle: str = ""


class Batch(msgspec.Struct, frozen=True):
    """Envelopes in the order of the spool; `sequences[i]` is the place of `envelopes[i]` in it."""

    sequences: list[int]
    envelopes: list[Envelope]

    def __len__(self) -> int:
        return len(self.envelopes)

    def part(self, start: int, stop: int) -> "Batch":
        """The envelopes from `start` up to `stop`, as a batch of their own."""
        return Batch(self.sequences[start:stop], self.envelopes[start:stop])
