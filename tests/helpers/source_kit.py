"""What the tests of every source need to know of one: an account, a simulated cloud, its words."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from logger.settings.schema import Settings
from logger.simulator.cloud.serving import Answers


class Kit(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of source, as its tests know it.

    `account` are its settings, secrets included, but for `base_url`; `secrets` are those of them that nothing may show.
    `cloud` makes its simulated cloud with some failures, and `words` are that cloud's words for the queries and, under
    `login`, for what a login requests first. `vehicle` is one of its vehicles, `misspelt` a key with an error in it.
    `prepare` puts into a data folder what a login leaves there. `posts` are the paths of all that polls and logins send
    by another method than GET, with CAR for the vehicle: logins, choices of a session, reads of several values at once.
    """

    account: Mapping[str, Any]
    secrets: tuple[str, ...]
    cloud: Callable[..., Answers]
    words: Mapping[str, str]
    vehicle: str
    misspelt: str
    prepare: Callable[[Path], None] = lambda folder: None
    posts: frozenset[str] = frozenset()

    def settings(self, folder: Path, base_url: str = "http://127.0.0.1:1", **changes: Any) -> Settings:
        """Return settings with this one account, and its data below this folder."""
        source = {**self.account, "base_url": base_url, **changes}
        return msgspec.convert({"collector": {"data_dir": str(folder)}, "sources": [source]}, Settings)
