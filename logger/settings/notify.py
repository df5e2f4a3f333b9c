"""The settings of messages to people."""

from typing import Annotated, ClassVar

from msgspec import Meta, Struct


class Notify(Struct, frozen=True, forbid_unknown_fields=True):
    """`[notify]`: who is told when a vehicle or voltrail itself needs somebody, by mail, webhook or chat (Apprise).

    One message is sent for a cause, and none again until it is over. What is no emergency waits for the end of the
    quiet hours.
    """

    secrets: ClassVar[tuple[str, ...]] = ("targets",)

    targets_file: Annotated[
        str,
        Meta(
            description="file with addresses as Apprise writes them, such as `mailtos://user:password@host`, one a line"
        ),
    ] = ""
    targets: str = ""
    quiet_from: Annotated[str, Meta(description="local time at which quiet hours begin, HH:MM; empty: none")] = ""
    quiet_until: Annotated[str, Meta(description="local time at which they end, HH:MM; may be past midnight")] = ""
    silent_h: Annotated[float, Meta(gt=0, description="a vehicle without a word for so long counts as silent [h]")] = (
        24.0
    )

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"  # and not the addresses, which hold passwords
