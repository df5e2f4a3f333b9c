"""Secrets: from a file that the settings name, or from the environment; never from the settings themselves."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from logger.errors import ConfigError

Account = TypeVar("Account", bound=msgspec.Struct)


def fill_secrets(
    account: Account, keys: Iterable[str], where: str, prefix: str, folder: Path, environment: Mapping[str, str]
) -> Account:
    """Return the account with these fields filled from the file that `KEY_file` names, or from `PREFIX_KEY`.

    `where` names the account in errors. Raises `ConfigError` where a file cannot be read or a field stays empty.
    """
    values = {key: getattr(account, key) or _read(account, key, where, prefix, folder, environment) for key in keys}
    return msgspec.structs.replace(account, **values)


def _read(
    account: msgspec.Struct, key: str, where: str, prefix: str, folder: Path, environment: Mapping[str, str]
) -> str:
    variable = f"{prefix}_{key}".upper().replace("-", "_")
    file = getattr(account, f"{key}_file")
    if file:
        try:
            value: str = (folder / file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{where}: {key}_file: cannot read {folder / file}: {error}") from error
    else:
        value = environment.get(variable, "").strip()
    if not value:
        raise ConfigError(f"{where}: no {key}: name a file as `{key}_file`, or set {variable}")
    return value
