"""`[collector]`: where the service listens, where it keeps its data and for how long."""

from typing import Annotated

from msgspec import Meta, Struct


class Collector(Struct, frozen=True, forbid_unknown_fields=True):
    """`[collector]`: where the service listens, where it keeps its data and for how long."""

    listen: Annotated[
        str,
        Meta(description="ADDRESS:PORT at which pushes are received; put a TLS proxy in front of it"),
    ] = "127.0.0.1:8080"
    data_dir: Annotated[str, Meta(description="folder for the spool, raw messages and the lake")] = "voltrail-data"
    raw_days: Annotated[
        int,
        Meta(ge=0, description="days for which raw messages are kept, so that `voltrail replay` can decode them again"),
    ] = 90
    max_bytes: Annotated[
        int,
        Meta(ge=0, description="limit of the spool [bytes]; beyond it pushes are answered 503, and nothing is dropped"),
    ] = 10_000_000_000
    path_prefix: Annotated[
        str,
        Meta(description="first part of the path at which pushes are received, such as `/a1b2c3`; keep it secret"),
    ] = ""
    public_url: Annotated[
        str,
        Meta(description="`https://HOST` at which vendors reach this collector; `voltrail check` tries it"),
    ] = ""
    timezone: Annotated[
        str,
        Meta(description="time zone of vehicles that have none of their own, and of times on the command line"),
    ] = "UTC"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of `listen`."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    def push_address(self, source: str) -> str:
        """Return the address to register with the vendor of this account, who adds a path of its own."""
        return f"{(self.public_url or 'https://YOUR-HOST').rstrip('/')}{self.path_prefix}/{source}"
