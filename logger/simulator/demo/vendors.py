"""The makers' clouds of the demo's cars; every kind of source but that of the mopeds is one line here."""

from logger.simulator.cloud import hiven, saic, saic_gateway, smart, smartcar

# fmt: off
VENDORS = (
    smartcar.DEMO,
    hiven.DEMO,
    smart.DEMO,
    saic.DEMO,
    saic_gateway.DEMO,
)
# fmt: on
