"""What a verification found, line by line."""

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from logger.commands.output import Block, Cell, Styled, Table, format_count

Result = Literal["same", "new", "moved", "differs"]
_STYLES = {"same": "green", "new": "cyan", "moved": "cyan", "differs": "red"}


class Finding(msgspec.Struct, frozen=True):
    """One line: `same` as certified, `new` since then, `moved` as new rows explain it, or it `differs`."""

    result: Result
    what: str
    detail: str


class Verification(msgspec.Struct, frozen=True):
    """Whether all that was certified holds, and why."""

    holds: bool
    findings: list[Finding]

    @property
    def advice(self) -> str:
        """What to make of a certificate that does not hold."""
        differ = format_count(sum(each.result == "differs" for each in self.findings), "finding")
        return f"the certificate does not hold: {differ} above (`differs`); a new one says what is stored now"


def verification(findings: Sequence[Finding]) -> Verification:
    """Return these findings with what follows from them."""
    return Verification(all(each.result != "differs" for each in findings), list(findings))


def view(verification: Verification) -> Iterator[Block]:
    """Yield the findings for people."""
    rows: list[tuple[Cell, ...]] = [
        (Styled(each.result, _STYLES[each.result]), each.what, each.detail) for each in verification.findings
    ]
    yield Table(("result", "what", "detail"), rows)
    if verification.holds:
        later = any(each.result != "same" for each in verification.findings)
        yield ""
        yield "all that was certified holds" + ("; what is new or moved came later" if later else "")
        yield "not verified, since only the file tells them: when it was made, by which version, and the label"
