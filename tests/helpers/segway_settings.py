"""The Segway accounts of settings, which may hold accounts of other kinds."""

from logger.settings.schema import Segway, Settings


def segway_accounts(settings: Settings) -> tuple[Segway, ...]:
    """Return the Segway accounts, in their order."""
    return tuple(source for source in settings.sources if isinstance(source, Segway))
