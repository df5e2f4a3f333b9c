"""Vehicles of another model than their account's, whose messages are read by other numbers."""

from logger.settings.schema import Settings, Source


def vehicles_by_model(account: Source, settings: Settings) -> list[tuple[str, frozenset[str]]]:
    """Return the listed vehicles whose own model in the settings is another than the account's, by model."""
    models: dict[str, set[str]] = {}
    for number in account.listed:
        vehicle = settings.vehicles.get(number)
        if vehicle and vehicle.model and vehicle.model != account.model:
            models.setdefault(vehicle.model, set()).add(number)
    return [(model, frozenset(numbers)) for model, numbers in models.items()]
