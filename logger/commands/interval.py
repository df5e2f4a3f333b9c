"""`voltrail interval`: its options; what it does is in `write_interval`, which needs a client of HTTP."""

from logger.commands import options as opt
from logger.commands.options import AsJson, ConfigFile, Debug, Vehicles, settings_of
from logger.commands.output import show


def interval(
    name: opt.Account, location_unlocked: opt.LocationUnlocked = None, location_locked: opt.LocationLocked = None,
    status_riding: opt.StatusRiding = None, status_idle: opt.StatusIdle = None, status_locked: opt.StatusLocked = None,
    vehicle: Vehicles = None, yes: opt.Yes = False, config: ConfigFile = None, as_json: AsJson = False,
    debug: Debug = False,
) -> None:  # fmt: skip
    """Set how often vehicles report; asks first.

    This is all that is ever written to a vehicle. Only the values that are named are written, once, to every vehicle of
    the account, or to those that are named.

    Example: voltrail interval segway --status-riding 10 --location-locked 900 --vehicle 861477038719116
    """
    from logger.commands.write_interval import raise_for_refused, view, write_interval
    from logger.sources.contract import UploadInterval

    wish = UploadInterval(location_unlocked, location_locked, status_riding, status_idle, status_locked)
    written = write_interval(settings_of(config), name, wish, tuple(vehicle or ()), ask=not yes)
    show(written, as_json, view)
    raise_for_refused(written)
