"""Which field of which vendor's message fills a column, as `voltrail sources` lists it."""

from collections import defaultdict

import msgspec

from logger.commands.sources import list_capabilities
from logger.settings.schema import AccountSettings, Settings
from logger.sources import KINDS

# (table, column): {(vendor, message): fields}
FieldsOfColumn = dict[tuple[str, str], dict[tuple[str, str], list[str]]]


def settings_of_all_kinds() -> Settings:
    """Return settings with an account of each kind, which is named as its provider."""
    return msgspec.convert({"sources": list(map(_example, KINDS))}, Settings)


def _example(kind: type[AccountSettings]) -> dict[str, str]:
    secrets = dict.fromkeys((*kind.secrets, *kind.identifiers), "example")
    return {"kind": str(kind.__struct_config__.tag), "name": KINDS[kind].provider, **secrets}


def fields_of_columns() -> FieldsOfColumn:
    """Return, for each table and column, the vendors' messages and fields that fill it."""
    columns: FieldsOfColumn = defaultdict(lambda: defaultdict(list))
    for line in list_capabilities(settings_of_all_kinds()).fields:
        fields = columns[line.table, line.signal][line.source, line.message]
        if line.field not in fields:
            fields.append(line.field)
    return columns
