"""`voltrail login`: its options; what it does is in `login`, which needs a client of HTTP."""

from logger.commands import options as opt
from logger.commands.options import ConfigFile, Debug, settings_of
from logger.commands.output import write_lines


def login(name: opt.Account, pair: opt.Pair = False, config: ConfigFile = None, debug: Debug = False) -> None:
    """Give an account access to vehicles, by consent at the vendor.

    Prints an address to open in a browser, then reads the code that it leads to.

    Example: voltrail login cars
    """
    from logger.commands.login import log_in

    write_lines(log_in(settings_of(config), name, pair=pair))
