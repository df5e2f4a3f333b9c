"""The header `Retry-After` of an HTTP answer: how long the server asks us to wait."""

import time
from email.utils import parsedate_to_datetime


def parse_retry_after_s(text: str, longest_s: float) -> float | None:
    """Return the seconds that `Retry-After` asks for [s], from 0 to `longest_s`; None where it is neither form.

    The header holds either a number of seconds or an HTTP date (RFC 9110, section 10.2.3).
    """
    if text.isascii() and text.isdigit():
        return min(longest_s, float(text))
    try:
        delay_s = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return max(0.0, min(longest_s, delay_s))
