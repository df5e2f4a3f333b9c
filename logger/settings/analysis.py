"""The settings of analyses, and what energy costs."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Analytics(Struct, frozen=True, forbid_unknown_fields=True):
    """`[analytics]`: when analyses run, and the limits they use."""

    every_s: Annotated[int, Meta(ge=0, description="interval of analyses in `voltrail run` [s]; 0: never")] = 900
    swap_below_pct: Annotated[float, Meta(description="packs are swapped or charged below this [%]")] = 20.0
    service_at: Annotated[str, Meta(description="local time at which the crew comes, HH:MM")] = "06:00"


class Rate(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[tariffs.rates]]`: a price at certain times; repeat the table for another rate. The first that fits counts."""

    begin: Annotated[str, Meta(description="local time at which it begins, HH:MM")]
    end: Annotated[str, Meta(description="local time at which it ends, HH:MM; may be past midnight")]
    per_kwh: Annotated[float, Meta(description="price of a kWh")]
    days: Annotated[
        tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...],
        Meta(description="days on which it begins; empty is every day"),
    ] = ()


class Tariffs(Struct, frozen=True, forbid_unknown_fields=True):
    """`[tariffs]`: what energy costs. Prices are per kWh at the wall."""

    currency: Annotated[
        str, Meta(description="currency of all prices, such as `EUR`; without it there are no prices")
    ] = ""
    per_kwh: Annotated[float | None, Meta(description="price of a kWh where no rate fits")] = None
    session_fee: Annotated[float, Meta(description="fee for each charge")] = 0.0
    efficiency: Annotated[
        float | None,
        Meta(description="energy into the battery as a share of that from the wall, where no charger measures it"),
    ] = None
    co2_g_per_kwh: (
        Annotated[
            float, Meta(ge=0, description="carbon dioxide of a kWh from the grid [g], as your supplier states it")
        ]
        | None
    ) = None
    rates: tuple[Rate, ...] = ()
