"""Secrets and identifiers of accounts: from a file that the settings name, or from the environment."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from logger.errors import ConfigError

Account = TypeVar("Account", bound=msgspec.Struct)


def fill_secrets(
    account: Account, keys: Iterable[str], where: str, name: str, folder: Path, environment: Mapping[str, str]
) -> Account:
    """Return the account with these fields, where empty, filled from the file `KEY_file` or the environment.

    `where` names the account in errors, `name` in the environment. Raises `ConfigError` where a file cannot be read, or
    a field stays empty that is none of the account's `may_lack`.
    """
    values = {key: getattr(account, key) or _read(account, key, where, name, folder, environment) for key in keys}
    optional: tuple[str, ...] = getattr(account, "may_lack", ())
    for key, value in values.items():
        if not value and key not in optional:
            variable = environment_variable(name, key)
            raise ConfigError(f"{where}: no {key}: name a file as `{key}_file`, or set {variable}")
    return msgspec.structs.replace(account, **values)


def environment_variable(name: str, key: str) -> str:
    """Return the environment variable that may hold this key of the account of this name."""
    return f"VOLTRAIL_{name}_{key}".upper().replace("-", "_")


def _read(
    account: msgspec.Struct, key: str, where: str, name: str, folder: Path, environment: Mapping[str, str]
) -> str:
    file = getattr(account, f"{key}_file")
    if not file:
        return environment.get(environment_variable(name, key), "").strip()
    try:
        value: str = (folder / file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{where}: {key}_file: cannot read {folder / file}: {getattr(error, 'strerror', None) or error}"
        ) from error
    if not value:
        raise ConfigError(f"{where}: no {key}: {folder / file} is empty: put it there")
    return value
