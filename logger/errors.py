"""The error tree: every failure that needs an answer, and one answer for each.

    LoggerError
    ├── ConfigError      stop at start, exit 2
    │   └── UnknownName  an unknown name; the message gives the nearest known one
    ├── Retry            wait, then try the same again
    │   └── Busy         wait with every other request, too
    ├── LoginNeeded      ask a person to act
    ├── Forged           refuse the push: 401
    └── Refused          refuse the push for good, such as 413

Each text is for people: what is wrong, where, and what to do.
"""


class LoggerError(Exception):
    """A failure that voltrail itself reports."""


class ConfigError(LoggerError):
    """Settings or arguments that cannot work; nothing was started."""


class UnknownName(ConfigError):
    """A name that is no signal, setting or table."""


class Retry(LoggerError):
    """A failure that may pass. `after` is how long to wait before the next try [s]."""

    def __init__(self, message: str, after: float = 1.0) -> None:
        super().__init__(message)
        self.after = after


class Busy(Retry):
    """The vendor asks for no request at all for `after` seconds."""


class LoginNeeded(LoggerError):
    """The vendor refuses our credentials; only a person can mend that."""


class Forged(LoggerError):
    """A push whose signature is missing, wrong or ambiguous."""


class Refused(LoggerError):
    """A push that can never be taken, whoever signed it, such as one that is too large."""
