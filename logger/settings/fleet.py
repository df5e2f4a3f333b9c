"""The settings of a fleet: its models, its vehicles and its places."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Lock = Literal["use", "doors"]  # what unlocked means: somebody uses it, or only its doors can be opened


class Model(Struct, frozen=True, forbid_unknown_fields=True):
    """`[models."NAME"]`: a model of vehicles. All keys may be left out."""

    capacity_wh: Annotated[float | None, Meta(description="capacity of a new battery, all packs together [Wh]")] = None
    nominal_voltage_v: Annotated[float | None, Meta(description="nominal voltage of the battery [V]")] = None
    wh_per_km: Annotated[float | None, Meta(description="usual consumption [Wh/km]")] = None
    top_speed_kmh: Annotated[float | None, Meta(description="top speed [km/h]; faster movements are errors")] = None
    odometer_scale: Annotated[float, Meta(description="one unit of the odometer [m]; 10 for older scooters")] = 1.0
    speed_scale: Annotated[float, Meta(description="speed of one unit of the vendor's speed [km/h]")] = 1.0


class Vehicle(Struct, frozen=True, forbid_unknown_fields=True):
    """`[vehicles."NUMBER"]`: what people call a vehicle, and how it behaves. All keys may be left out.

    `lock`, `swappable` and `cadence_s` hold for every vehicle in the stores, imported ones too; where they are left
    out, what its source says holds (`voltrail sources`).
    """

    label: Annotated[str | None, Meta(description="name, such as `Moped 7`")] = None
    model: Annotated[str | None, Meta(description="model, where it differs from that of the account")] = None
    group: Annotated[str | None, Meta(description="group within the fleet")] = None
    plate: Annotated[str | None, Meta(description="number plate")] = None
    timezone: Annotated[str | None, Meta(description="time zone, such as `Europe/Berlin`")] = None
    in_service: Annotated[bool, Meta(description="`false`: it is not polled and makes no trips")] = True
    lock: Annotated[
        Lock | None,
        Meta(description="what unlocked means: `use`, somebody uses it; `doors`, only its doors can be opened"),
    ] = None
    swappable: Annotated[bool | None, Meta(description="`true`: its packs can be swapped; `false`: they cannot")] = None
    cadence_s: Annotated[float | None, Meta(description="how often it speaks while parked [s], above 0")] = None


class Place(Struct, frozen=True, forbid_unknown_fields=True):
    """`[places."NAME"]`: a place, either a circle (`lat_deg`, `lon_deg`, `radius_m`) or a `polygon`.

    Trips and charges name the place they are in, and each stay of a vehicle is an episode.
    """

    lat_deg: Annotated[float, Meta(ge=-90, le=90, description="latitude of the centre [°]")] | None = None
    lon_deg: Annotated[float, Meta(ge=-180, le=180, description="longitude of the centre [°]")] | None = None
    radius_m: Annotated[float, Meta(gt=0, description="radius [m]")] | None = None
    polygon: Annotated[
        tuple[tuple[float, float], ...],
        Meta(description="three corners or more, each as `[latitude, longitude]` [°]"),
    ] = ()
    private: Annotated[bool, Meta(description="`true`: trips, charges and tracks leave out positions in it")] = False
