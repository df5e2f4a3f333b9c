"""Words of files that people and programs write: for nothing, for yes and for no."""

from collections.abc import Mapping

from logger.signals import BOOLEAN_WORDS
from logger.sources.files.options import Words

NOTHING = frozenset((  # lower case
    "", "-", "--", "---", "–", "—", "?", "none", "null", "nil", "nan", "n/a", "na", "#n/a", "#value!", "#div/0!",
    "unavailable", "unknown", "undefined", "missing", "invalid", "<invalid>", "no data", "nodata", "void", "\\n",
))  # fmt: skip
_TRUE = ("y", "1.0", "ja", "wahr", "oui", "vrai", "open", "locked", "connected", "plugged", "charging")
_FALSE = (
    "n", "0.0", "nein", "falsch", "non", "faux", "closed", "unlocked", "disconnected", "unplugged", "not_charging",
    "not charging",
)  # fmt: skip


def nothing(words: Words) -> frozenset[str]:
    """Return the words for nothing, those of the options among them, in lower case."""
    return NOTHING | {each.lower() for each in words.nothing}


def booleans(words: Words) -> Mapping[str, bool]:
    """Return what each word for yes or no means, those of the options among them, in lower case."""
    return {
        **BOOLEAN_WORDS,
        **dict.fromkeys(_TRUE, True),
        **dict.fromkeys(_FALSE, False),
        **{each.lower(): True for each in words.true},
        **{each.lower(): False for each in words.false},
    }
