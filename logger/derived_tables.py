"""Derived tables: what `voltrail analyze` computes from raw rows, every column with its type, unit and meaning.

A row stands at the `time` at which it starts. `low` and `high` are the ends of a 95 % interval, `sd` is a relative
standard error. Energies are positive when used. Times are UTC, days are local, as YYYY-MM-DD.
"""

from collections.abc import Mapping

from logger.columns import Column, Table, build_table
from logger.signals import EVENT_KINDS

TRIP_KINDS: Mapping[str, str] = {
    "observed": "messages came all the way through",
    "bridged": "a gap in the messages lies within, before or after it, and counters close it",
    "inferred": "nobody saw it: counters or positions prove that it happened, when exactly is unsure",
}
DISTANCE_SOURCES: Mapping[str, str] = {
    "odometer": "difference of two odometer readings",
    "speed": "speeds added up over time; a lower bound where a gap lies within",
    "gps": "distances between positions added up; a lower bound, because corners are cut",
}
TRIP_ENERGY_SOURCES: Mapping[str, str] = {
    "content": "the battery's content in Wh, as the vehicle reports it, at both ends",
    "soc": "state of charge used, times the capacity",
    "power": "readings of power added up over time",
    "model": "distance, times the usual consumption of the model",
    "reported": "the vendor's own figure, which nobody has checked",
}
TRIP_FLAGS: Mapping[str, str] = {
    "collector_away": "the collector did not run during a part of it",
    "journal_differs": "the vendor's journal has a distance that differs by more than 200 m and 5 %",
    "no_capacity": "no energy: nobody tells how much the battery holds, nor a usual consumption",
    "no_percent": "no energy: no state of charge, no close readings of power and no usual consumption are known",
    "not_in_journal": "the vendor's journal has trips on the days around it, but not this one",
    "odometer_reset": "the odometer started again or leapt, so that metres are missing",
    "open_end": "the vehicle was locked unseen, or left unlocked for an hour; or the log ends under way",
    "open_start": "the log begins under way",
    "outlier": "shorter than 10 s or longer than 5 h",
    "pack_changed": "no energy: a battery pack was changed on the way and out of sight",
    "positions_unsure": "more than a tenth of its distance by positions was impossible, and left out",
    "private_place": "a position is left out, because it lies in a private place",
}
CHARGE_KINDS: Mapping[str, str] = {
    "charge": "the vehicle reported that it charged, or its state of charge rose step by step",
    "swap": "a battery pack was exchanged for another; it adds charge and no charged energy",
    "inferred": "two readings alone show it; it lies somewhere between start and end",
}
CHARGE_ENERGY_SOURCES: Mapping[str, str] = {
    "reported": "the vehicle's own counter of what the charge added (`charge_added_wh`)",
    "power": "charging power added up over time, known for 80 % of the charge or more",
    "content": "rise of the battery's content in Wh, as the vehicle reports it, and 5 % for losses",
    "soc": "state of charge added, times the capacity, and 5 % for losses",
}
CHARGE_FLAGS: Mapping[str, str] = {
    "efficiency_odd": "wall and battery contradict each other: an efficiency below 75 % or above 100 %",
    "finish_unsure": "the end lies somewhere in a gap of more than 30 min",
    "no_capacity": "no energy: nobody tells how much the battery holds",
    "no_percent": "no energy: neither state of charge, power nor a counter tells of it",
    "open": "no reading after it yet",
    "or_swap": "it may have been a swap that nobody saw; the energy is null, its interval begins at 0",
    "power_sign": "power flows out of the battery while its percent rises: its sign is turned",
    "start_unsure": "the start lies somewhere in a gap of more than 30 min",
    "unreported": "the vehicle did not report it; its state of charge rose",
}
STATES: Mapping[str, str] = {
    "riding": "on a trip",
    "paused": "on a trip, standing",
    "charging": "a charge of the table `charges`",
    "discharging": "it gives energy on purpose, to a load or into the grid, as it reports or as its power shows",
    "parked": "none of the others",
    "offline": "the vendor's cloud reports no connection to the vehicle",
    "no_data": "silent, and not asleep, for twice its usual pace and over 30 min; or the collector did not run",
    "out_of_service": "taken out of service in the settings",
}
END_REASONS: Mapping[str, str] = {
    "swap": "another pack took its place",
    "capacity_jump": "from one charge to the next the battery held another energy: a new one, a repair, new firmware",
}
METHODS: Mapping[str, str] = {
    "verdict": "the best figure: all methods and the vehicles of the model together, each by its variance",
    "charge_energy": "energy that charges added, by the percent that rose",
    "ride_energy": "energy that trips used by readings of power, by the percent that fell",
    "km_per_pct": "kilometres of a percent, which tell a capacity only beside others",
    "range_full": "the range at a full charge, day by day",
    "resistance": "volts that fall under load, day by day",
    "reported": "what the vehicle itself reports, day by day",
}
VERDICTS: Mapping[str, str] = {
    "estimate": "the data carry a figure",
    "insufficient": "they do not; `reason` says why",
}
ALIKE_IN: Mapping[str, str] = {
    "temperature": "mean outside temperature (`ambient_c` of `trips`), in steps of 5 degC",
    "speed": "mean speed in motion (`mean_speed_kmh`), in steps of 5 km/h",
    "hour": "hour of the local clock at the start",
    "place": "place of the settings in which it started (`start_place`)",
}
_STARTED = Column("started_at", "time", "", "start")
_FINISHED = Column("finished_at", "time", "", "end")
_DAY = Column("day", "text", "", "the local day, YYYY-MM-DD")
_DAY_STARTS = "midnight of the local day, in UTC"

_TRIPS = (
    Column("trip_id", "text", "", "name of the trip; the same whenever it is computed from the same counters"),
    Column("kind", "enum", "", "how sure it is", TRIP_KINDS),
    _STARTED,
    _FINISHED,
    Column("start_uncertainty_s", "float", "s", "the true start is not farther away than this for 19 trips of 20"),
    Column("finish_uncertainty_s", "float", "s", "the true end is not farther away than this for 19 trips of 20"),
    Column("duration_s", "float", "s", "from start to end"),
    Column("riding_s", "float", "s", "time in motion, by the vehicle's riding time counter"),
    Column("paused_s", "float", "s", "time at a standstill"),
    Column("distance_m", "float", "m", "distance"),
    Column("distance_source", "enum", "", "what the distance was measured with", DISTANCE_SOURCES),
    Column("start_odometer_m", "float", "m", "odometer at the start"),
    Column("finish_odometer_m", "float", "m", "odometer at the end"),
    Column("start_lat_deg", "float", "deg", "latitude of the start: where the vehicle stood before"),
    Column("start_lon_deg", "float", "deg", "longitude of the start"),
    Column("finish_lat_deg", "float", "deg", "latitude of the end"),
    Column("finish_lon_deg", "float", "deg", "longitude of the end"),
    Column("start_place", "text", "", "place of the settings (`[places]`) in which it started"),
    Column("finish_place", "text", "", "place of the settings in which it ended"),
    Column("soc_start_pct", "float", "%", "state of charge at the start, to a fraction of a percent"),
    Column("soc_finish_pct", "float", "%", "state of charge at the end"),
    Column("soc_used_pct", "float", "%", "state of charge used; what a swap on the way added is left out"),
    Column("soc_used_low_pct", "float", "%", "lower end of its 95 % interval"),
    Column("soc_used_high_pct", "float", "%", "upper end"),
    Column("energy_wh", "float", "Wh", "energy used at the battery's terminals, less what was fed back"),
    Column("energy_low_wh", "float", "Wh", "lower end of its 95 % interval"),
    Column("energy_high_wh", "float", "Wh", "upper end"),
    Column("energy_source", "text", "", "what the energy is computed from; several joined by `+`", TRIP_ENERGY_SOURCES),
    Column(
        "polled_wh",
        "float",
        "Wh",
        "energy used by single readings of power, in the sign of `motor_power_w` where only that is told; rough, for"
        " sums over many trips",
    ),
    Column("used_ah", "float", "Ah", "charge taken from the battery by readings of current, less what was fed back"),
    Column("regen_wh", "float", "Wh", "energy fed back into the battery; empty where no readings of power show it"),
    Column("wh_per_km", "float", "Wh/km", "energy over distance"),
    Column("mean_speed_kmh", "float", "km/h", "distance over time in motion"),
    Column("max_speed_kmh", "float", "km/h", "highest speed that was reported"),
    Column("ambient_c", "float", "degC", "mean outside temperature"),
    Column("samples", "int", "1", "readings of the vehicle on the trip"),
    Column("coverage", "float", "1", "these readings as a share of those that a trip of this length has, 0 to 1"),
    Column("swaps", "int", "1", "battery packs exchanged on the way"),
    Column("flags", "words", "", "what to know before using the trip, sorted; empty where nothing is", TRIP_FLAGS),
)
_CHARGES = (
    Column("kind", "enum", "", "a charge or a swap, and how it is known", CHARGE_KINDS, key=True),
    Column("port", "text", "", "of a swap, the battery compartment; empty for a charge", key=True),
    Column("charge_id", "text", "", "name of the charge; the same whenever it is computed from the same readings"),
    _STARTED,
    _FINISHED,
    Column("soc_start_pct", "float", "%", "state of charge at the start"),
    Column("soc_finish_pct", "float", "%", "state of charge at the end"),
    Column("soc_added_pct", "float", "%", "state of charge added"),
    Column("energy_wh", "float", "Wh", "energy into the battery, at its terminals; 0 for a swap"),
    Column("energy_low_wh", "float", "Wh", "lower end of its 95 % interval"),
    Column("energy_high_wh", "float", "Wh", "upper end"),
    Column("energy_source", "enum", "", "what the energy is computed from", CHARGE_ENERGY_SOURCES),
    Column("added_ah", "float", "Ah", "charge into the battery by readings of current"),
    Column(
        "read_wh",
        "float",
        "Wh",
        "energy into the battery between the first reading of power and the last, below 0 if their sign is turned",
    ),
    Column("read_pct", "float", "%", "by how much the state of charge rose between these"),
    Column("wall_wh", "float", "Wh", "energy from the wall, where the charger reports its power"),
    Column("efficiency", "float", "1", "energy into the battery as a share of that from the wall, 0 to 1"),
    Column("mean_w", "float", "W", "mean power into the battery"),
    Column("peak_w", "float", "W", "highest power into the battery"),
    Column("lat_deg", "float", "deg", "latitude"),
    Column("lon_deg", "float", "deg", "longitude"),
    Column("place", "text", "", "place of the settings (`[places]`) in which it was"),
    Column("cost", "float", "currency", "what it cost by `[tariffs]` of the settings; empty for a swap"),
    Column("currency", "text", "", "currency of the cost, such as `EUR`"),
    Column("flags", "words", "", "what to know before using the charge, sorted", CHARGE_FLAGS),
)
_STATES = (
    Column("state", "enum", "", "the state", STATES),
    _STARTED,
    _FINISHED,
    Column("duration_s", "float", "s", "from start to end"),
)
_STATES_1D = tuple(Column(f"{state}_s", "float", "s", f"seconds in it: {meaning}") for state, meaning in STATES.items())
_CONSUMPTION = (
    _DAY,
    Column("distance_m", "float", "m", "distance on trips; a trip over midnight is shared between its days"),
    Column("driven_wh", "float", "Wh", "energy used on trips"),
    Column("driven_low_wh", "float", "Wh", "lower end of its 95 % interval"),
    Column("driven_high_wh", "float", "Wh", "upper end"),
    Column("standby_wh", "float", "Wh", "energy lost while parked; may be below 0, because a resting battery recovers"),
    Column(
        "charged_wh",
        "float",
        "Wh",
        "energy that the charges of `charges` added; one over midnight is shared by time; swaps count as none",
    ),
    Column("residual_wh", "float", "Wh", "what the state of charge shows of trips beyond `driven_wh`"),
    Column("wh_per_km_net", "float", "Wh/km", "energy over distance, less what was fed back"),
    Column("wh_per_km_gross", "float", "Wh/km", "the same before what was fed back; empty where that is not known"),
    Column("trips", "int", "1", "trips that started on this day"),
    Column("driving_s", "float", "s", "time in motion"),
)
_CONSUMPTION_BY = (
    Column("by", "enum", "", "what the trips have in common", ALIKE_IN, key=True),
    Column("bin", "text", "", "`5..10`: from 5 up to, but without, 10; an hour, as `08`; the place's name", key=True),
    _DAY,
    Column("bin_start", "float", "", "lower end of the bin in degC, km/h or h, to sort by; empty for a place"),
    Column("trips", "int", "1", "trips: `observed` or `bridged`, and of known energy"),
    Column("distance_m", "float", "m", "their distance"),
    Column("energy_wh", "float", "Wh", "energy used on them; over `distance_m`, each summed, it is their consumption"),
    Column("energy_low_wh", "float", "Wh", "lower end of its 95 % interval; the sum over rows is rather too low"),
    Column("energy_high_wh", "float", "Wh", "upper end; the sum over rows is rather too high"),
    Column("distance_km2", "float", "km2", "sum of their squared distances in km"),
    Column("energy_wh_km", "float", "Wh km", "sum of their energies, each times its distance in km"),
    Column("energy_wh2", "float", "Wh2", "sum of their squared energies"),
)
_STANDBY = (
    _STARTED,
    _FINISHED,
    Column("soc_lost_pct", "float", "%", "state of charge lost; below 0 where it recovered"),
    Column("pct_per_day", "float", "%/d", "loss per day"),
    Column("pct_per_day_low", "float", "%/d", "lower end of its 95 % interval"),
    Column("pct_per_day_high", "float", "%/d", "upper end"),
    Column("mean_w", "float", "W", "the same as power"),
    Column("resolvable", "float", "%/d", "the smallest loss that would have been seen with 95 % probability"),
)
_EPISODES = (
    Column("kind", "enum", "", "what sort of event", EVENT_KINDS, key=True),
    Column("code", "text", "", "the vendor's code; of `pipeline`, the place's name or what was found", key=True),
    Column(
        "system", "text", "", "the part of the vehicle; of `pipeline`: place, relocation, odometer, journal or clock"
    ),
    Column("text", "text", "", "what the code means, or what was found"),
    _STARTED,
    Column("finished_at", "time", "", "end; empty while it lasts, or where nothing ended it"),
    Column("count", "int", "1", "how often it was reported"),
    Column("odometer_m", "float", "m", "odometer at the start"),
    Column("open", "bool", "", "whether it lasts"),
)
_COVERAGE = (
    _DAY,
    Column(
        "expected", "int", "1", "messages that a vehicle of this use sends in a day; empty where it reports no lock"
    ),
    Column("received", "int", "1", "messages received, repeats included"),
    Column("duplicates", "int", "1", "of these, repeats"),
    Column("late", "int", "1", "of these, received more than 60 s after their own time"),
    Column("median_latency_s", "float", "s", "median time from the vehicle's clock to the receipt"),
    Column("longest_gap_s", "float", "s", "longest time between two readings"),
    Column("odometer_m", "float", "m", "what the odometer rose by: the sum of the three that follow"),
    Column("trips_m", "float", "m", "of this, on trips"),
    Column("pushed_m", "float", "m", "of this, locked, out of service or too short for a trip"),
    Column("unplaced_m", "float", "m", "of this, around a stop hidden in a gap, or of a trip that still goes on"),
)
_FORECAST = (
    Column("soc_pct", "float", "%", "state of charge then"),
    Column(
        "t10", "time", "", "with a probability of 10 % it falls below `swap_below_pct` before this; empty after 14 d"
    ),
    Column("t50", "time", "", "the same with 50 %"),
    Column("t90", "time", "", "the same with 90 %"),
    Column("below_at_next_service", "float", "1", "probability that it is below when the crew comes next, 0 to 1"),
)
_CALIBRATION = (
    Column("model", "text", "", "the model of vehicles", key=True),
    Column("check", "text", "", "the question; `analytics/calibration.md` lists them with their answers", key=True),
    Column("answer", "text", "", "the answer in a word; `insufficient` where the data cannot say"),
    Column("value", "float", "", "the answer as a number, in the unit of the check"),
    Column("low", "float", "", "lower end of its 95 % interval"),
    Column("high", "float", "", "upper end"),
    Column("n", "int", "1", "trips, readings or vehicles that it is computed from"),
)
_PORT = Column(
    "port", "text", "", "the battery compartment; empty where the vehicle names none or has several", key=True
)
_STINTS = (
    Column("port", "text", "", "the battery compartment; empty where the vehicle names none", key=True),
    Column("stint_id", "text", "", "name of the stint; the same whenever it is computed from the same swaps"),
    _STARTED,
    Column("finished_at", "time", "", "end: no swap is possible between start and end; empty while the pack is in"),
    Column("start_reason", "enum", "", "what began it; empty where it was there when it was first seen", END_REASONS),
    Column("end_reason", "enum", "", "what ended it; empty while the pack is in", END_REASONS),
    Column("first_cycles", "int", "1", "the pack's charging cycles when it was first asked"),
    Column("last_cycles", "int", "1", "... and last"),
    Column("efc", "float", "1", "equivalent full cycles: half of what the percent fell on trips and rose on charges"),
    *(
        Column(f"depth_{depth}_cycles", "float", "1", f"cycles {depth - 20} to {depth} % deep, by rainflow counting")
        for depth in range(20, 120, 20)
    ),
    Column("distance_m", "float", "m", "distance on trips"),
    Column("soc_used_pct", "float", "%", "state of charge used on trips"),
    Column("km_per_pct", "float", "km/%", "kilometres of a percent: sum over sum, of trips without a swap on the way"),
    Column("km_per_pct_low", "float", "km/%", "lower end of its 95 % interval"),
    Column("km_per_pct_high", "float", "km/%", "upper end"),
)
_BATTERY_HEALTH = (
    Column("port", "text", "", "the battery compartment; empty where there is none, or more than one", key=True),
    Column("method", "enum", "", "how it was computed", METHODS, key=True),
    Column("as_of", "text", "", "the last day that it counts, YYYY-MM-DD"),
    Column("stint_id", "text", "", "the stint (`stints`), or the time that the same packs were in all ports"),
    Column("capacity_wh", "float", "Wh", "energy that a full charge gives"),
    Column("capacity_low_wh", "float", "Wh", "lower end of its 95 % interval"),
    Column("capacity_high_wh", "float", "Wh", "upper end"),
    Column("capacity_ah", "float", "Ah", "charge that it gives"),
    Column("soh_pct", "float", "%", "capacity as a share of `reference`"),
    Column("soh_low_pct", "float", "%", "lower end of its 95 % interval"),
    Column("soh_high_pct", "float", "%", "upper end"),
    Column("reference", "text", "", "what 100 % of `soh_pct` are"),
    Column("cycles", "float", "1", "mean charging cycles of the packs, by their own count"),
    Column("first_cycles", "int", "1", "sum over the packs of their charging cycles when it began"),
    Column("last_cycles", "int", "1", "... and when it ended"),
    Column("efc", "float", "1", "equivalent full cycles so far"),
    Column("n", "int", "1", "trips and charges that it is computed from"),
    Column("distance_m", "float", "m", "distance of these trips"),
    Column("soc_used_pct", "float", "%", "state of charge that they used, or charges added"),
    Column("soc_mean_pct", "float", "%", "the level at which they used it, on the mean"),
    Column(
        "energy_wh",
        "float",
        "Wh",
        "energy of these trips by readings of power (in the sign of `polled_wh`), or of charges",
    ),
    Column("km_per_pct", "float", "km/%", "kilometres of a percent"),
    Column("km_per_pct_low", "float", "km/%", "lower end of its 95 % interval"),
    Column("km_per_pct_high", "float", "km/%", "upper end"),
    Column("wh_per_km", "float", "Wh/km", "energy of a kilometre"),
    Column("wh_per_km_low", "float", "Wh/km", "lower end of its 95 % interval"),
    Column("wh_per_km_high", "float", "Wh/km", "upper end"),
    Column("range_full_m", "float", "m", "range at a full charge, as the vehicle projects it"),
    Column("range_full_low_m", "float", "m", "lower end of its 95 % interval"),
    Column("range_full_high_m", "float", "m", "upper end"),
    Column("resistance_mohm", "float", "mOhm", "internal resistance from terminal to terminal"),
    Column("resistance_low_mohm", "float", "mOhm", "lower end of its 95 % interval"),
    Column("resistance_high_mohm", "float", "mOhm", "upper end"),
    Column("battery_c", "float", "degC", "mean temperature of the battery at which it was measured"),
    Column("imbalance_pct", "float", "%", "by how much more the first pack shows than the last, on the mean"),
    Column("weak_probability", "float", "1", "how likely the pack is a weak one of its model, 0 to 1"),
    Column("fade_pct_per_year", "float", "%/a", "capacity lost in a year"),
    Column("fade_low", "float", "%/a", "lower end of its 95 % interval"),
    Column("fade_high", "float", "%/a", "upper end"),
    Column("months_to_80_low", "float", "1", "months until 80 % of `reference`: lower end of the 95 % interval"),
    Column("months_to_80", "float", "1", "months until 80 % of `reference`"),
    Column("months_to_80_high", "float", "1", "upper end; empty where there is none"),
    Column("verdict", "enum", "", "whether there is a figure", VERDICTS),
    Column("reason", "text", "", "why there is none, or what it rests on"),
)


def _build(
    name: str, row: str, always: str, columns: tuple[Column, ...], time: str = "its start", *, analysis: str = "",
    lake_only: bool = False,
) -> Table:  # fmt: skip
    source = f"`voltrail analyze {analysis or name}`"
    return build_table(name, row, source, time, columns, always=always, lake_only=lake_only)


ALL = (
    _build("trips", "a trip", "trip_id", _TRIPS),
    _build("charges", "a charge, or a swap of battery packs", "charge_id", _CHARGES),
    _build("states", "a span of time in one state; the spans of a vehicle leave no gap", "state", _STATES),
    build_table(
        "states_1d",
        "a day (UTC) of a vehicle, of which `states` knows a part or all",
        "`voltrail rollup`",
        "the start of the day",
        _STATES_1D,
        always="parked_s",
    ),
    _build("consumption", "a local day of a vehicle", "day", _CONSUMPTION, _DAY_STARTS),
    _build(
        "consumption_by",
        "sums of a vehicle's trips that began on a local day and are alike in temperature, speed, hour or place",
        "day",
        _CONSUMPTION_BY,
        _DAY_STARTS,
    ),
    _build("standby", "an interval at rest, without charge or swap", "finished_at", _STANDBY),
    _build(
        "episodes",
        "a fault, alert, stay in a place or finding, from its start to its end",
        "started_at",
        _EPISODES,
        analysis="episodes places audit dates",
    ),
    _build("coverage", "a local day of a vehicle: messages and metres accounted for", "day", _COVERAGE, _DAY_STARTS),
    _build("forecast", "when a vehicle will need charge", "soc_pct", _FORECAST, "when its state of charge was read"),
    _build(
        "calibration",
        "a month's answer to a question about a model (the vehicle is `none`)",
        "answer",
        _CALIBRATION,
        "the start of the month, UTC; the figures are of the three months before",
    ),
    _build(
        "stints",
        "the time that one pack spent in one port",
        "stint_id",
        _STINTS,
        analysis="stints",
    ),
    _build(
        "battery_health",
        "what the packs in a vehicle hold in a month or on a day, or from a swap in it on, by one method",
        "method",
        _BATTERY_HEALTH,
        "the start of the month or day, UTC, or of the stint",
        analysis="battery_health reported range_full resistance",
    ),
)
