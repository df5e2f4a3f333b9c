"""The settings of the stores that rows are written to."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct


class LakeSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[sinks.lake]`: the lake, which holds every table as Delta Lake files."""

    path: Annotated[
        str,
        Meta(
            description="a folder, or a URL of an object store (`s3://`, `az://`, `gs://`); else `data_dir` + `/lake`"
        ),
    ] = ""
    compact_after_s: Annotated[
        int,
        Meta(ge=0, description="a day's files are put together once nothing was written to it for so long [s]"),
    ] = 600


class InfluxSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[sinks.influx]`: a second store, for dashboards. 1.x takes `username`, 2.x and 3.x take `org` and a token."""

    secrets: ClassVar[tuple[str, ...]] = ("token", "password")  # as of an account; a server takes one of them

    url: Annotated[str, Meta(description="address of the server, such as `http://127.0.0.1:8086`")]
    bucket: Annotated[str, Meta(description="bucket, or database of 1.x, to write to")]
    org: Annotated[str, Meta(description="organisation of 2.x")] = ""
    token_file: Annotated[str, Meta(description="file that holds the token and nothing else")] = ""
    token: str = ""
    username: Annotated[str, Meta(description="user of 1.x")] = ""
    password_file: Annotated[str, Meta(description="file that holds the password and nothing else")] = ""
    password: str = ""
    version: Annotated[Literal["auto", "1", "2", "3"], Meta(description="server version; `auto` finds it")] = "auto"
    retention_days: Annotated[int, Meta(ge=0, description="days for which raw rows are kept; 0: for ever")] = 0
    rollup_retention_days: Annotated[int, Meta(ge=0, description="the same of rollups and derived rows")] = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, {self.bucket!r})"  # and not the token, wherever this is printed


class Sinks(Struct, frozen=True, forbid_unknown_fields=True):
    """`[sinks]`: the stores that decoded rows are written to."""

    lake: LakeSettings = LakeSettings()
    influx: InfluxSettings | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The sinks that are set up, each with a cursor of its own in the spool."""
        return ("lake",) if self.influx is None else ("lake", "influx")
