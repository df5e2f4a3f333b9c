"""The settings of what people see: units, language, and the live page."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

LANGUAGES = ("en", "de")  # a file of texts for each, in `logger/display/`


class Display(Struct, frozen=True, forbid_unknown_fields=True):
    """`[display]`: units, language and numbers in reports and on the live page. What is stored never changes."""

    units: Annotated[Literal["metric", "imperial"], Meta(description="km and °C, or miles and °F")] = "metric"
    currency: Annotated[
        Literal["symbol", "code"], Meta(description="how the currency of `[tariffs]` is written: `€` or `EUR`")
    ] = "symbol"
    locale: Annotated[
        str, Meta(description="language, numbers and dates: `en`, `de`, or with a country, such as `de-AT`")
    ] = "en"

    @property
    def language(self) -> str:
        """The language of texts, the first part of the locale."""
        return self.locale.replace("_", "-").partition("-")[0]


class Live(Struct, frozen=True, forbid_unknown_fields=True):
    """`[live]`: a page of all vehicles that updates by itself, in a process of its own; off by default.

    Whoever knows the token can read it, nobody can change anything. Put a TLS proxy in front of it.
    """

    secrets: ClassVar[tuple[str, ...]] = ("token",)

    listen: Annotated[str, Meta(description="ADDRESS:PORT of the page, such as `127.0.0.1:8090`; empty: no page")] = ""
    token_file: Annotated[str, Meta(description="file that holds the token and nothing else")] = ""
    token: str = ""
    every_s: Annotated[float, Meta(ge=1, description="how often an open page is updated [s]")] = 5.0

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.listen!r})"  # and not the token
