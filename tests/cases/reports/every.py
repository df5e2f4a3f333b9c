"""All situations by name."""

from collections.abc import Mapping

from tests.cases.reports import (
    charges_counted,
    charges_more,
    charges_reported,
    discharges,
    energies,
    field_energies,
    field_trips,
    names,
    percents_more,
    percents_reported,
    powers,
    sources_mixed,
    states,
    times,
    trips_coarse,
    trips_late,
    trips_more,
    trips_repeated,
    trips_reported,
    trips_shaken,
)
from tests.cases.reports.situations import Situation

_MODULES = (
    trips_reported, trips_more, trips_repeated, trips_coarse, trips_late, charges_reported, charges_more,
    charges_counted, discharges, energies, field_energies, field_trips, percents_reported, percents_more,
    powers, states, times, names, trips_shaken, sources_mixed,
)  # fmt: skip
SITUATIONS: Mapping[str, Situation] = {
    each.name: each for module in _MODULES for each in vars(module).values() if isinstance(each, Situation)
}
