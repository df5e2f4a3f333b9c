"""`voltrail status` and `voltrail sources`: what is there now, and what each account can report."""

from logger.commands import output
from logger.commands.options import AsJson, ConfigFile, Debug, Vehicles, settings_of


def status(vehicle: Vehicles = None, config: ConfigFile = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Print each vehicle's newest values and what waits for stores.

    Example: voltrail status --vehicle 861477038719116
    """
    from logger.commands.status import view
    from logger.live.overview import read_overview

    output.show(read_overview(settings_of(config), vehicle or ()), as_json, view)


def sources(config: ConfigFile = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """List the signals that each account reports, and its limits.

    Example: voltrail sources --config voltrail.toml
    """
    from logger.commands.sources import list_capabilities, view

    output.show(list_capabilities(settings_of(config)), as_json, view)
