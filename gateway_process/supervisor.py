"""Several children under one parent: start, one ready line, restart, orders, stop, questions.

Each child (`place`) keeps itself filled; here they are one program. A first process that fails makes
the whole start fail. A reload is handed on, or replaces the processes of those children that say
so: one child after another, each finished before the next, and no further once one has failed.

The supervisor holds no state of the roles. It dies last: STOP and DRAIN go to the children, stage by
stage where they are of several programs (a gateway that closes its browsers needs the workers to the
end, and both need the register), and whoever is still there after the stop timeout is killed.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from gateway_process import logs
from gateway_process.daemon import Addresses
from gateway_process.errors import ProcessError, RunError
from gateway_process.inspection import ConnectionPage, ConnectionQuery, ProcessStatus
from gateway_process.place import KILL_GRACE, Child
from gateway_process.shared import SharedSettings
from gateway_process.signals import Order

__all__ = ["KILL_GRACE", "Child", "Supervisor"]

logger = logging.getLogger(__package__)


class Supervisor:
    """Keeps children running until it is told to stop.

    Args:
        children: the places to keep filled.
        announce: called once, when every child is ready or waits to be mended, with all addresses.
        reread: puts settings read anew into the children, for a reload; may raise `ProcessError`.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        announce: Callable[[Addresses], None],
        reread: Callable[[], None],
    ) -> None:
        self._children = children
        self._announce = announce
        self._reread = reread
        self._announced = False
        # While children are replaced, and whether that is to be done once more after it.
        self._replacing: asyncio.Task[None] | None = None
        self._again = False
        # How it ends, and the stage that has been told so.
        self._last_order: Order | None = None
        self._stage: int | None = None
        self._left = list(children)
        self._deadlines: list[asyncio.TimerHandle] = []
        self._error: ProcessError | None = None

    def __repr__(self) -> str:
        return f"<Supervisor of {list(self._children)!r}>"

    async def live(self) -> None:
        """Run the children until they have ended for good.

        Raises:
            ProcessError: one could not start, or did not stop cleanly or in time.
        """
        keeping = [asyncio.create_task(each.keep(self._on_ready)) for each in self._children]
        for child, task in zip(self._children, keeping, strict=True):
            task.add_done_callback(partial(self._on_end, child))
        await asyncio.wait(keeping)
        if self._replacing is not None:
            await asyncio.wait({self._replacing})
        for deadline in self._deadlines:
            deadline.cancel()
        if self._error is not None:
            raise self._error

    def order(self, order: Order) -> None:
        """Take an order, on the loop. A reload during another is carried out once, after it."""
        if order is Order.RELOAD:
            self._reload()
            return
        self._last_order, self._stage = order, None
        if order is Order.STOP and not self._deadlines:
            limit = max(child.settings.stop_timeout for child in self._children)
            call_later = asyncio.get_running_loop().call_later
            self._deadlines = [
                call_later(limit, self._stop_all),
                call_later(limit + KILL_GRACE, self._too_late),
            ]
        self._end_stage()

    def kill(self) -> None:
        """End every child at once. Safe in a signal handler."""
        for child in self._children:
            child.kill()

    # What it tells of its children

    async def status(self) -> list[ProcessStatus]:
        """Tell how each process is, in the children's order; none holds up the others."""
        return await asyncio.gather(*(child.status() for child in self._children))

    async def connections(self, query: ConnectionQuery) -> ConnectionPage:
        """Give a page of all children's connections, one child after another.

        A page ends where a child's own page does, so it may hold fewer rows than asked for.

        Raises:
            ValueError: the query is wrong; the message names what.
        """
        index, after = self._position(query.after)
        page = ConnectionPage()
        while index < len(self._children):
            child, room = self._children[index], query.limit - len(page.rows)
            if not room:
                return replace(page, next=f"{index}/")
            part = await child.connections(replace(query, limit=room, after=after))
            if part is None:
                page.silent.append(str(child))
            else:
                page.rows.extend(part.rows)
                if part.next:
                    return replace(page, next=f"{index}/{part.next}")
            index, after = index + 1, ""
        return page

    def _position(self, after: str) -> tuple[int, str]:
        """Read what stands in `next`: the index of a child, and what that child said."""
        if not after:
            return 0, ""
        index, slash, inner = after.partition("/")
        if not slash or not index.isdecimal() or int(index) >= len(self._children):
            remedy = "give what the page before said, or nothing for the first"
            raise ValueError(f"after: {after!r} is no page of this instance; {remedy}")
        return int(index), inner

    # Reloading

    def _reload(self) -> None:
        if self._last_order is not None:
            return
        if self._replacing is not None:
            self._again = True
            return
        former = {child: child.settings for child in self._children}
        logs.reopen()
        try:
            self._reread()
        except ProcessError as error:
            logger.error("reload changed nothing: %s", error)  # noqa: TRY400 -- one line says it all
            return
        for child in self._children:
            if not child.replaces:
                child.order(Order.RELOAD)
        if any(child.replaces for child in self._children):
            self._replacing = asyncio.create_task(self._replace_all(former))
            self._replacing.add_done_callback(self._on_replaced)

    async def _replace_all(self, former: Mapping[Child, SharedSettings]) -> None:
        """Replace one child after another; where one fails, the rest keep their settings too."""
        waiting = [child for child in self._children if child.replaces]
        while waiting and await waiting[0].replace():
            del waiting[0]
        for child in waiting:
            child.settings = former[child]
        if not waiting:
            logger.info("reloaded: every process was replaced")
        elif self._last_order is None:
            logger.error("the reload ends here; as they were: %s", ", ".join(map(str, waiting)))

    def _on_replaced(self, task: asyncio.Task[None]) -> None:
        self._replacing = None
        if (error := task.exception()) is not None:
            logger.error("the reload failed", exc_info=error)
        if self._again:
            self._again = False
            self._reload()

    # Ending

    def _end_stage(self) -> None:
        """Tell the first stage that is left to end, unless it has been told."""
        stage = min((child.stop_stage for child in self._left), default=None)
        if self._last_order is None or stage == self._stage:
            return
        self._stage = stage
        for child in self._left:
            if child.stop_stage == stage:
                child.order(self._last_order)

    def _stop_all(self) -> None:
        """Wait for no stage any more: what is left has but the grace that a kill leaves."""
        for child in self._left:
            child.order(Order.STOP)

    def _too_late(self) -> None:
        names = ", ".join(map(str, self._left))
        self._error = self._error or RunError(f"{names} did not stop in time; killed")
        self.kill()

    def _on_ready(self) -> None:
        if not self._announced and all(child.has_begun for child in self._children):
            self._announced = True
            self._announce(self._addresses())

    def _on_end(self, child: Child, task: asyncio.Task[None]) -> None:
        self._left.remove(child)
        error = task.exception()
        if error is not None:
            told = error if isinstance(error, ProcessError) else RunError(f"{error!r}")
            self._error = self._error or told
            self.order(Order.STOP)
        self._end_stage()

    def _addresses(self) -> Addresses:
        """Unite the addresses of all children; several roles have theirs told apart by name."""
        several = len({child.name for child in self._children}) > 1
        united: dict[str, list[str]] = {}
        for child in self._children:
            for kind, value in (child.addresses or {}).items():
                key = f"{child.name}.{kind}" if several else kind
                united.setdefault(key, []).extend([value] if isinstance(value, str) else value)
        return united
