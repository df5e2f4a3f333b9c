"""The settings of reports that are sent by themselves."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

ReportKind = Literal["consumption", "battery-health", "calibration", "fleet"]


class Reports(Struct, frozen=True, forbid_unknown_fields=True):
    """`[reports]`: which reports `voltrail run` makes by itself, of the last week or month, and where they go.

    They go to a folder, to people (`targets_file`; Apprise attaches the file to a mail), or both; where neither is
    set, to the targets of `[notify]`. One that cannot be delivered is tried again until the next one is due.
    """

    secrets: ClassVar[tuple[str, ...]] = ("targets",)

    weekly: Annotated[tuple[ReportKind, ...], Meta(description="reports of each week, sent on Monday")] = ()
    monthly: Annotated[tuple[ReportKind, ...], Meta(description="reports of each month, sent on its first day")] = ()
    at: Annotated[str, Meta(description="local time at which they are made, HH:MM")] = "06:00"
    form: Annotated[Literal["html", "pdf", "xlsx", "csv"], Meta(description="kind of file")] = "html"
    folder: Annotated[str, Meta(description="folder into which they are written")] = ""
    targets_file: Annotated[str, Meta(description="file with addresses, as that of `[notify]`, for reports alone")] = ""
    targets: str = ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"  # and not the addresses, which hold passwords
