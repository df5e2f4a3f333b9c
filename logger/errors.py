"""The error tree: every failure that somebody must answer, and one answer for each.

    LoggerError
    ├── ConfigError      stop at start, exit 2
    │   └── UnknownName  a word that nobody knows; the message names the nearest known one
    ├── Retry            wait, then the same again
    │   └── Busy         wait with everything else, too
    ├── LoginNeeded      tell a person
    ├── Forged           refuse the push: 401
    └── Refused          refuse the push for good, such as 413

Each text is for people: what is wrong, where, and what to do.
"""


class LoggerError(Exception):
    """Anything that voltrail itself has to say about a failure."""


class ConfigError(LoggerError):
    """Settings or arguments that cannot work; nothing was started."""


class UnknownName(ConfigError):
    """A name outside the vocabulary, the settings or the tables."""


class Retry(LoggerError):
    """It did not work now and may work later. `after` says when to try again [s]."""

    def __init__(self, message: str, after: float = 1.0) -> None:
        super().__init__(message)
        self.after = after


class Busy(Retry):
    """The vendor wants to be left alone for `after` seconds, by everybody."""


class LoginNeeded(LoggerError):
    """The vendor does not know us (any more); only a person can mend that."""


class Forged(LoggerError):
    """A push whose signature is missing, wrong or ambiguous."""


class Refused(LoggerError):
    """A push that can never be taken, whoever signed it, such as one that is too large."""
