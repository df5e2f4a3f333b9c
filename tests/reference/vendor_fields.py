"""Which field of which vendor's message fills a column, as `voltrail sources` lists it."""

from collections import defaultdict
from pathlib import Path

from logger.commands.sources import list_capabilities
from logger.settings.load import parse_settings

_EXAMPLES = """
[[sources]]
kind = "segway"
name = "segway"
client_id = "A00000"
"""
_SECRETS = {"VOLTRAIL_SEGWAY_CLIENT_SECRET": "example"}

# (table, column): {(vendor, message): fields}
FieldsOfColumn = dict[tuple[str, str], dict[tuple[str, str], list[str]]]


def fields_of_columns() -> FieldsOfColumn:
    """Return, for each table and column, the vendors' messages and fields that fill it."""
    settings = parse_settings(_EXAMPLES, Path("voltrail.toml"), _SECRETS)
    columns: FieldsOfColumn = defaultdict(lambda: defaultdict(list))
    for line in list_capabilities(settings).fields:
        fields = columns[line.table, line.signal][line.source, line.message]
        if line.field not in fields:
            fields.append(line.field)
    return columns
