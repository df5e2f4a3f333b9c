"""The kits of all kinds of sources, by provider."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logger.settings.schema import AccountSettings
from logger.sources import KINDS, accounts
from logger.sources.contract import Account
from tests.helpers.source_kit import Kit


def _kit(kind: type[AccountSettings]) -> Kit:
    folder = KINDS[kind].provider.replace("-", "_")
    kit: Kit = importlib.import_module(f"tests.logger.sources.{folder}.kit").KIT
    return kit


KITS: Mapping[str, Kit] = {KINDS[kind].provider: _kit(kind) for kind in KINDS}


def account_of(provider: str, **changes: Any) -> Account:
    """Return the account of this provider's kit."""
    (account,) = accounts(KITS[provider].settings(Path("nowhere"), **changes)).values()
    return account
