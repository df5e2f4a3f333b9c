"""Whether rows of vehicles were set aside because of their date."""

from collections.abc import Iterator

import polars as pl

from logger.commands.check.finding import Finding, ok, warning
from logger.errors import Retry
from logger.settings.schema import Settings
from logger.stores import open_lake

_IS_WRONG_DATE = (pl.col("kind") == "pipeline") & (pl.col("code") == "wrong_date")


def check_dates(settings: Settings) -> Iterator[Finding]:
    """Yield one finding per vehicle of which the last analysis has set rows aside; its episodes name them."""
    try:
        found = (
            open_lake(settings).scan("episodes").filter(_IS_WRONG_DATE).sort("provider", "vehicle", "time").collect()
        )
    except Retry:  # check_lake says why
        return
    for (_, vehicle), part in found.group_by("provider", "vehicle", maintain_order=True):
        texts = [text.partition("; ") for text in part["text"]]
        what, remedies = (list(dict.fromkeys(words)) for words in ((w for w, _, _ in texts), (r for _, _, r in texts)))
        yield warning(f"dates {vehicle}", ", ".join(what), "; ".join(remedies))
    if found.is_empty():
        yield ok("dates", "no row is set aside because of its date")
