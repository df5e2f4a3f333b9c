"""Answers of a cloud that writes VINs in small letters."""

import msgspec

from logger.simulator.cloud.failures import Reply


def in_small_letters(reply: Reply, *vins: str) -> Reply:
    """The same answer with each of these VINs in small letters."""
    body = reply.body
    for vin in vins:
        body = body.replace(vin.encode(), vin.lower().encode())
    return msgspec.structs.replace(reply, body=body)
