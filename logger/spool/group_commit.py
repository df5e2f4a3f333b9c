"""Group commit: many waiting requests, one durable append.

While the writer thread puts one group on disk, the requests that arrive form the next. A lone request is written at
once; under load a group holds as many as came in during one commit.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

from logger.envelope import Envelope
from logger.errors import Retry

log = logging.getLogger(__name__)


class Commit(asyncio.Future[Retry | None]):
    """The result that a whole group waits for: None once it is on disk, else why it is not.

    It cannot be cancelled: one waiter that is cancelled must not take the others of its group with it.
    """

    def cancel(self, msg: object = None) -> bool:
        """Refuse: see the class."""
        return False


class GroupCommit:
    """Collects envelopes on the event loop and appends them group by group in one thread.

    `append` is that of the spool; `observe` is called with each group's size, its duration [s] and its success.
    """

    def __init__(
        self,
        append: Callable[[Sequence[Envelope]], int],
        observe: Callable[[int, float, bool], None] = lambda size, seconds, stored: None,
    ) -> None:
        self._append = append
        self._observe = observe
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Envelope] = []
        self._commit = self._under_way = Commit(loop=self._loop)
        self._work: queue.SimpleQueue[tuple[list[Envelope], Commit] | None] = queue.SimpleQueue()
        self._busy = False
        self._thread = threading.Thread(target=self._write, name="spool", daemon=True)
        self._thread.start()

    def put(self, envelope: Envelope) -> Commit:
        """Add a message to the next group; return the future of its commit: None is on disk, a `Retry` is why not."""
        self._waiting.append(envelope)
        if not self._busy:
            self._busy, self._under_way = True, self._commit
            self._loop.call_soon(self._start_commit)  # after what else is ready in the loop: it may add to the group
        return self._commit

    async def close(self) -> None:
        """Wait for the commits that have begun, then stop the thread."""
        while self._busy:
            await self._under_way
        self._work.put(None)
        await asyncio.to_thread(self._thread.join)

    def _start_commit(self) -> None:
        self._under_way = self._commit
        self._work.put((self._waiting, self._commit))
        self._waiting, self._commit = [], Commit(loop=self._loop)

    def _write(self) -> None:
        while work := self._work.get():
            group, commit = work
            log.debug("append begins")
            began = time.perf_counter()
            failure = self._append_group(group)
            log.debug("append ends")
            self._loop.call_soon_threadsafe(self._finish, commit, failure, len(group), time.perf_counter() - began)

    def _append_group(self, group: list[Envelope]) -> Retry | None:
        try:
            self._append(group)
        except Retry as error:
            return error
        except Exception as error:  # whatever it was, no message of this group counts as stored
            log.exception("the spool failed")
            return Retry(f"the spool failed: {error}")
        return None

    def _finish(self, commit: Commit, failure: Retry | None, size: int, seconds: float) -> None:
        commit.set_result(failure)
        if self._waiting:
            self._start_commit()
        else:
            self._busy = False
        self._observe(size, seconds, failure is None)
