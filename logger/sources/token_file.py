"""A pair of tokens on disk, for one process at a time and for its owner alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from logger.atomic import write_file
from logger.locks import exclusive_lock

_PRIVATE = 0o600
_LOCK_S = 0.05  # between two looks at a lock that another process holds


class Tokens(msgspec.Struct, frozen=True):
    """A pair of tokens: when to renew it, and when another login ended it, 0 where none did [epoch s]."""

    access_token: str
    refresh_token: str
    renew_at: float
    ended_at: float = 0.0

    def __repr__(self) -> str:
        return f"{type(self).__name__}(renew_at={self.renew_at:.0f})"  # and not the tokens, wherever this is printed


class TokenFile:
    """The file `tokens-ACCOUNT.json` of the data folder, which its owner alone may read."""

    def __init__(self, folder: Path, account: str) -> None:
        self._path = folder / f"tokens-{account}.json"

    def read(self) -> Tokens | None:
        """The tokens; None where there are none that can be read."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Tokens)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def write(self, tokens: Tokens) -> None:
        """Put these on disk. Raises `OSError`."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_file(self._path, msgspec.json.encode(tokens), mode=_PRIVATE)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Be the only process that renews."""
        while True:
            with exclusive_lock(self._path.with_suffix(".lock")) as held:
                if held:
                    yield
                    return
            await asyncio.sleep(_LOCK_S)
