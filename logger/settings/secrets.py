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
    """These fields of an account out of the file that `KEY_file` names, or out of `PREFIX_KEY` in the environment.

    Raises `ConfigError` where a file cannot be read or a field stays empty.
    """
    told = {key: getattr(account, key) or _told(account, key, where, prefix, folder, environment) for key in keys}
    return msgspec.structs.replace(account, **told)


def _told(
    account: msgspec.Struct, key: str, where: str, prefix: str, folder: Path, environment: Mapping[str, str]
) -> str:
    variable = f"{prefix}_{key}".upper().replace("-", "_")
    named = getattr(account, f"{key}_file")
    if named:
        try:
            value: str = (folder / named).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{where}: {key}_file: cannot read {folder / named}: {error}") from error
    else:
        value = environment.get(variable, "").strip()
    if not value:
        raise ConfigError(f"{where}: no {key}: name a file as `{key}_file`, or set {variable}")
    return value
