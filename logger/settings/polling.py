"""`[sources.poll]`: how often a vendor's cloud is polled for a vehicle, by the state of that vehicle."""

from typing import Annotated, ClassVar, Literal, get_args

from msgspec import Meta, Struct

State = Literal["riding", "charging", "parked", "offline", "silent", "out_of_service"]  # of a vehicle, for polling
STATES: tuple[State, ...] = get_args(State)


class Polling(Struct, frozen=True, forbid_unknown_fields=True):
    """`[sources.poll]`: how often the vendor's cloud is polled for each vehicle. Without this table it is not polled.

    The interval follows the state of the vehicle; 0 is never.
    """

    least_s: ClassVar[int] = 0  # no interval may be shorter

    riding_s: Annotated[int, Meta(ge=0, description="interval while riding [s]")] = 60
    charging_s: Annotated[int, Meta(ge=0, description="interval while charging [s]")] = 120
    parked_s: Annotated[int, Meta(ge=0, description="interval while parked [s]")] = 900
    offline_s: Annotated[int, Meta(ge=0, description="interval while the cloud cannot reach the vehicle [s]")] = 3600
    silent_s: Annotated[int, Meta(ge=0, description="interval after a long time without a message [s]")] = 1800
    out_of_service_s: Annotated[int, Meta(ge=0, description="interval while it is out of service [s]")] = 0
    calls: Annotated[
        int,
        Meta(ge=0, description="most calls in a period; where they do not suffice, all intervals grow. 0: no limit"),
    ] = 0
    per: Annotated[Literal["day", "month"], Meta(description="the period of `calls`")] = "day"

    @property
    def every_s(self) -> dict[State, float]:
        """The interval by state [s]; a state in which nothing is polled is left out."""
        return {state: float(seconds) for state in STATES if (seconds := getattr(self, f"{state}_s"))}


class SlowPolling(Polling, frozen=True, forbid_unknown_fields=True):
    """`[sources.poll]` of Hiven and Smartcar: as above, at longer intervals, since they request the makers' clouds.

    More often than every 15 to 30 minutes it has nothing new.
    """

    riding_s: Annotated[int, Meta(ge=0, description="interval while riding [s]")] = 1800
    charging_s: Annotated[int, Meta(ge=0, description="interval while charging [s]")] = 1800
    parked_s: Annotated[int, Meta(ge=0, description="interval while parked [s]")] = 3600
    offline_s: Annotated[int, Meta(ge=0, description="interval while the cloud cannot reach the vehicle [s]")] = 7200
    silent_s: Annotated[int, Meta(ge=0, description="interval after a long time without a message [s]")] = 3600


class WakingPolling(Polling, frozen=True, forbid_unknown_fields=True):
    """`[sources.poll]` of SAIC: as above, at least 600 s apart, since each request wakes a car that sleeps.

    That costs its 12 V battery: a parked car is left alone for a day.
    """

    least_s: ClassVar[int] = 600

    riding_s: Annotated[int, Meta(ge=0, description="interval while riding [s]")] = 900
    charging_s: Annotated[int, Meta(ge=0, description="interval while charging [s]")] = 1800
    parked_s: Annotated[int, Meta(ge=0, description="interval while parked: a request wakes the car [s]")] = 86_400
    offline_s: Annotated[int, Meta(ge=0, description="interval while the cloud cannot reach the vehicle [s]")] = 86_400
    silent_s: Annotated[int, Meta(ge=0, description="interval until it has answered [s]")] = 86_400
