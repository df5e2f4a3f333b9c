"""`voltrail notify`: tell people what needs them now, or send a test message."""

from datetime import UTC, datetime

from logger.commands import options as opt
from logger.commands.options import AsJson, ConfigFile, Debug, settings_of
from logger.commands.output import Table, show
from logger.errors import ConfigError, LoggerError
from logger.settings.schema import Settings


def notify(
    test: opt.TestMessage = False, config: ConfigFile = None, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Tell people what needs them now.

    The service does so after each analysis.

    Example: voltrail notify --test
    """
    settings = settings_of(config)
    if not settings.notify.targets:
        raise ConfigError("nobody to tell: name a file of addresses as `targets_file` in [notify]")
    (_send_test if test else _tell)(settings, as_json)


def _send_test(settings: Settings, as_json: bool) -> None:
    from logger.notify.targets import send

    deliveries = send(settings.notify.targets, "voltrail: test", "This is a test message of voltrail. All is well.")
    rows = [(each.target, "sent" if each.sent else "failed") for each in deliveries]
    show(deliveries, as_json, lambda _: [Table(("target", "message"), rows)])
    if failed := [each for each in deliveries if not each.sent]:
        raise LoggerError(f"{len(failed)} of {len(deliveries)} targets took no message: check address and password")


def _tell(settings: Settings, as_json: bool) -> None:
    from logger.notify.notify import tell
    from logger.stores import open_lake

    messages = tell(open_lake(settings), settings, datetime.now(UTC))
    rows = [(message.title, line) for message in messages for line in message.lines]
    show(messages, as_json, lambda _: [Table(("message", "about"), rows)] if rows else ["nothing new"])
