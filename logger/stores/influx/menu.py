"""Fields by which dashboards list vehicles: InfluxQL answers a menu with values alone, without a text beside each.

Each row of `vehicles` gets two texts more: `title`, which is its label, else its plate, else its number; and `menu`,
which is its group, model, title and number, joined by tabs. A dashboard's variable takes its text and its value out of
`menu`, so the number in it is the tag as it is stored.
"""

import msgspec
import polars as pl

from logger.stores.influx.line_protocol import escape_tag
from logger.tables import Table

_TABLE = "vehicles"
_CONTROLS = r"[\x00-\x1f]"  # a tab in a name would look like the border of two


def with_menu(table: Table, rows: pl.DataFrame) -> tuple[Table, pl.DataFrame]:
    """Return the table and its rows, those of `vehicles` with `title` and `menu`."""
    if table.name != _TABLE:
        return table, rows
    numbers = rows["vehicle"].unique()
    number = pl.col("vehicle").replace_strict(numbers, [escape_tag(each) for each in numbers], return_dtype=pl.String)
    titled = rows.with_columns(title=pl.coalesce(_words("label"), _words("plate"), number))
    menu = pl.concat_str(*(_words(name).fill_null("") for name in ("group", "model")), "title", number, separator="\t")
    texts = {"title": pl.String(), "menu": pl.String()}
    return msgspec.structs.replace(table, columns={**table.columns, **texts}), titled.with_columns(menu=menu)


def _words(name: str) -> pl.Expr:
    """A text in one line; null where there is none."""
    words = pl.col(name).str.replace_all(_CONTROLS, " ").str.strip_chars()
    return pl.when(words != "").then(words)
