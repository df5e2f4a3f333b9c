"""Check settings beyond their types; what cannot work is a `ConfigError` that says where it is and what to do."""

import ipaddress
import math
import re
import zoneinfo
from pathlib import Path
from urllib.parse import urlsplit

from logger.errors import ConfigError
from logger.printable import printable
from logger.settings.display import LANGUAGES
from logger.settings.schema import (
    RESERVED_NAMES,
    Analytics,
    Collector,
    Display,
    InfluxSettings,
    Live,
    Notify,
    Place,
    Rate,
    Settings,
    Source,
    Tariffs,
)

_NOT_IN_LAKE_FOLDER = "[]^|\\"


def check_settings(settings: Settings) -> None:
    """Raise `ConfigError` for the first setting that cannot work."""
    _check_collector(settings.collector)
    _check_vehicles(settings)
    _check_spelling(settings)
    _check_places(settings)
    _check_tariffs(settings.tariffs)
    _check_analytics(settings.analytics)
    _check_notify(settings.notify)
    _check_display(settings.display)
    _check_live(settings.live)
    _check_time("reports.at:", settings.reports.at)
    _check_source_names([source.name for source in settings.sources])
    if settings.sinks.influx is not None:
        _check_influx(settings.sinks.influx)
    for source in settings.sources:
        _check_clients(source)
        _check_account(source)


def check_lake_folder(folder: Path) -> None:
    """Raise `ConfigError` for a folder whose path has signs that break the URL which the lake's library makes of it."""
    signs = sorted({sign for sign in str(folder.resolve()) if sign in _NOT_IN_LAKE_FOLDER or not sign.isprintable()})
    if signs:
        advice = "set data_dir, or the path of sinks.lake, to a folder without"
        raise ConfigError(f"the lake cannot be in {str(folder)!r}, for its {' '.join(map(printable, signs))}: {advice}")


def _check_vehicles(settings: Settings) -> None:
    for number, vehicle in settings.vehicles.items():
        _check_zone(f'vehicles."{number}"', vehicle.timezone or "UTC")
        if vehicle.cadence_s is not None and not 0 < vehicle.cadence_s < math.inf:
            wrong = f"{vehicle.cadence_s:g} is not a number of seconds above 0, such as 900"
            raise ConfigError(f'vehicles."{number}".cadence_s: {wrong}')


def _check_spelling(settings: Settings) -> None:
    """Raise `ConfigError` for one vehicle that would become two, or that no vendor knows: by small letters."""
    for source in settings.sources:
        listed = {*source.listed}
        spellings = {number.casefold(): number for number in source.listed}
        for number in (*source.listed, *settings.vehicles):
            other = spellings.get(number.casefold(), number)
            if other != number:
                raise ConfigError(
                    f"sources: {source.name}: {number!r} and {other!r} are one vehicle: write it in one way"
                )
            if source.by_vin and number in listed and number != number.upper():
                raise ConfigError(
                    f"sources: {source.name}: vehicles: a VIN has capital letters: write {number.upper()!r}"
                )


def _check_places(settings: Settings) -> None:
    for name, place in settings.places.items():
        _check_place(f'places."{name}"', place)


def _check_source_names(names: list[str]) -> None:
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name) or name in RESERVED_NAMES:
            allowed = f"letters, digits, - or _, and none of {RESERVED_NAMES}"
            raise ConfigError(f"sources: the name {name!r} must be {allowed}")
        if names.count(name) > 1:
            raise ConfigError(f"sources: the name {name!r} stands twice")


def _check_collector(collector: Collector) -> None:
    _check_listen("collector", collector, "127.0.0.1:8080")
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", collector.path_prefix):
        raise ConfigError(f"collector.path_prefix: {collector.path_prefix!r} is not a path such as /a1b2c3")
    _check_no_login("collector.public_url", collector.public_url)
    if collector.public_url and not _is_host(collector.public_url):
        raise ConfigError(
            f"collector.public_url: {collector.public_url!r} is not https://HOST or https://HOST:PORT: the path "
            "follows from path_prefix and the name of the account"
        )
    _check_zone("collector", collector.timezone)


def _is_host(url: str) -> bool:
    try:
        return bool(re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+/?", url) and urlsplit(url).port != 0)
    except ValueError:  # no port, or no address
        return False


def _check_zone(where: str, name: str) -> None:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(
            f"{where}.timezone: no zone {name!r} here: write one such as Europe/Berlin, or install the time zone data "
            "(package tzdata)"
        ) from error


def _check_place(where: str, place: Place) -> None:
    circle = (place.lat_deg, place.lon_deg, place.radius_m)
    if place.polygon and circle == (None, None, None):
        if len(place.polygon) < 3 or any(abs(lat) > 90 or abs(lon) > 180 for lat, lon in place.polygon):
            raise ConfigError(f"{where}.polygon: needs three corners or more, each as [latitude, longitude]")
    elif place.polygon or None in circle:
        raise ConfigError(f"{where}: needs either lat_deg, lon_deg and radius_m, or a polygon")


def _check_clients(source: Source) -> None:
    for client in source.clients:
        try:
            ipaddress.ip_network(client)
        except ValueError as error:
            raise ConfigError(f"sources: {source.name}: clients: {error}") from error


def _check_account(source: Source) -> None:
    where = f"sources: {source.name}"
    _check_inline(where, source)
    _check_no_login(f"{where}: base_url", source.base_url)
    _check_intervals(where, source)
    if source.vehicles == "all" and not source.lists_vehicles:
        kind = source.__struct_config__.tag
        raise ConfigError(
            f"{where}: a source of kind {kind} does not list its vehicles: write their numbers into "
            '`vehicles`, or set unknown_vehicles = "accept"'
        )


def _check_intervals(where: str, source: Source) -> None:
    """Raise `ConfigError` for an interval that this vendor, or the 12 V battery of its cars, does not stand."""
    every_s, least_s = (source.poll.every_s, source.poll.least_s) if source.poll else ({}, 0)
    for state, seconds in every_s.items():
        if seconds < least_s:
            wrong = f"{seconds:.0f} is too short for this vendor's cars"
            raise ConfigError(f"{where}: poll.{state}_s: {wrong}: write {least_s} or more, or 0 for never")


def _check_inline(where: str, account: Source | InfluxSettings) -> None:
    """Raise `ConfigError` for a secret in the settings themselves."""
    for key in account.secrets:
        if getattr(account, key):
            raise ConfigError(
                f"{where}: a secret does not belong in the settings: put it into a file and name that as `{key}_file`"
            )


def _check_no_login(where: str, url: str, instead: str = "") -> None:
    """Raise `ConfigError`, which does not print the address, where user or password stand in it."""
    if "@" in url:
        raise ConfigError(f"{where}: user and password do not belong in an address: leave out all up to the @{instead}")


def _check_influx(influx: InfluxSettings) -> None:
    where = "sinks.influx"
    _check_inline(where, influx)
    _check_no_login(f"{where}.url", influx.url, ", and name username and password_file")
    if not re.fullmatch(r"https?://[^/?#]+(/[^?#]*)?", influx.url):
        raise ConfigError(f"{where}.url: {influx.url!r} is not http://HOST:PORT or https://HOST")
    if not influx.bucket or not influx.bucket.isprintable() or "/" in influx.bucket or '"' in influx.bucket:
        raise ConfigError(f"{where}.bucket: {influx.bucket!r} is no name of a bucket (1.x: database)")
    if influx.version in ("auto", "2") and not influx.username and not influx.org:
        raise ConfigError(f"{where}.org: name the organisation (2.x), or username and password_file (1.x)")


def _check_tariffs(tariffs: Tariffs) -> None:
    if tariffs.currency and not re.fullmatch(r"[A-Z]{3}", tariffs.currency):
        raise ConfigError(f"tariffs.currency: {tariffs.currency!r} is not three capital letters such as EUR")
    priced = tariffs.per_kwh is not None or tariffs.rates or tariffs.session_fee
    if priced and not tariffs.currency:
        raise ConfigError("tariffs.currency: name the currency of the prices, such as EUR")
    if tariffs.efficiency is not None and not 0 < tariffs.efficiency <= 1:
        raise ConfigError(f"tariffs.efficiency: {tariffs.efficiency:g} is not above 0 and at most 1, such as 0.9")
    for rate in tariffs.rates:
        _check_rate(rate)
    prices = {"per_kwh": tariffs.per_kwh, "session_fee": tariffs.session_fee}
    for name, price in (*prices.items(), *(("rates: per_kwh", rate.per_kwh) for rate in tariffs.rates)):
        if price is not None and not math.isfinite(price):
            raise ConfigError(f"tariffs.{name}: {price} is no price")


def _check_rate(rate: Rate) -> None:
    _check_time("tariffs.rates: begin", rate.begin)
    _check_time("tariffs.rates: end", rate.end)


def _check_analytics(analytics: Analytics) -> None:
    _check_time("analytics.service_at:", analytics.service_at)
    if not 0 <= analytics.swap_below_pct < 100:
        raise ConfigError(f"analytics.swap_below_pct: {analytics.swap_below_pct:g} is not from 0 to 99, such as 20")


def _check_notify(notify: Notify) -> None:
    if bool(notify.quiet_from) != bool(notify.quiet_until):
        raise ConfigError("notify: quiet hours need both quiet_from and quiet_until")
    if notify.quiet_from:
        _check_time("notify.quiet_from:", notify.quiet_from)
        _check_time("notify.quiet_until:", notify.quiet_until)


def _check_listen(where: str, listener: Collector | Live, example: str) -> None:
    if not re.fullmatch(r".+:\d{1,5}", listener.listen) or listener.address[1] > 65535:
        raise ConfigError(f"{where}.listen: {listener.listen!r} is not ADDRESS:PORT, such as {example}")


def _check_live(live: Live) -> None:
    if live.token:
        raise ConfigError("live: a secret does not belong in the settings: put it into a file, named as `token_file`")
    if live.listen:
        _check_listen("live", live, "127.0.0.1:8090")


def _check_display(display: Display) -> None:
    """Raise `ConfigError` for a language without texts, or a country that nobody knows."""
    from babel import Locale, UnknownLocaleError  # which few commands need

    known = ", ".join(LANGUAGES)
    if display.language not in LANGUAGES:
        raise ConfigError(f"display.locale: {display.locale!r} has no texts; there are: {known}, such as de-AT")
    try:
        Locale.parse(display.locale.replace("-", "_"))
    except (UnknownLocaleError, ValueError) as error:
        raise ConfigError(f"display.locale: {display.locale!r} is no locale, such as {known} or de-AT") from error


def _check_time(where: str, word: str) -> None:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", word):
        raise ConfigError(f"{where} {word!r} is not HH:MM from 00:00 to 23:59, such as 22:00")
