"""Several children under one parent: start, one ready line, restart, orders, stop, questions.

Each child (`place`) keeps itself filled; here they are one program. A first process that fails makes
the whole start fail. A reload is handed on, and how it went is heard, or it replaces the processes of those children that say
so: one child after another, each finished before the next, and no further once one has failed. Reloads
follow each other, and those that come during another are one.

The supervisor holds no state of the roles. It dies last: STOP and DRAIN go to the children, stage by
stage where they are of several programs (a gateway that closes its browsers needs the workers to the
end, and both need the register). A drain that takes longer than it may becomes a stop, and whoever is
still there after the stop timeout is killed.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from gateway_process import logs
from gateway_process.daemon import STOPPED, Addresses
from gateway_process.errors import ProcessError, RunError
from gateway_process.inspection import ConnectionPage, ConnectionQuery, ProcessStatus, no_page
from gateway_process.place import KILL_GRACE, Child, NotReplaced
from gateway_process.settings import Reloaded
from gateway_process.shared import SharedSettings
from gateway_process.signals import Order

__all__ = ["KILL_GRACE", "Child", "Supervisor"]

logger = logging.getLogger(__package__)

DRAIN_GRACE: Final = 1.0
"""Seconds beyond its limit that a drain has: a child that is well ends its own a little earlier."""


class Supervisor:
    """Keeps children running until it is told to stop.

    Args:
        children: the places to keep filled.
        announce: called once, when every child is ready or waits to be mended, with all addresses.
        reread: puts settings read anew into the children, for a reload, and says what they change;
            may raise `ProcessError`.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        announce: Callable[[Addresses], None],
        reread: Callable[[], Reloaded],
    ) -> None:
        self._children = children
        self._announce = announce
        self._reread = reread
        self._announced = False
        # One reload at a time; the one whose turn has not come stands for all that are asked for.
        self._turn = asyncio.Lock()
        self._next_reload: asyncio.Task[Reloaded] | None = None
        # How it ends, and the stage that has been told so.
        self._last_order: Order | None = None
        self._stage: int | None = None
        self._left = list(children)
        self._drain_deadline: asyncio.TimerHandle | None = None
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
        async with self._turn:  # whoever waits for a reload has been told
            pass
        self._cancel_drain()
        for deadline in self._deadlines:
            deadline.cancel()
        if self._error is not None:
            raise self._error

    def order(self, order: Order) -> None:
        """Take an order, on the loop."""
        if order is Order.RELOAD:
            _ = self._ask_for_reload()  # how it went is logged
            return
        self._last_order, self._stage = order, None
        self._cancel_drain()
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
            raise no_page(after, "this instance")
        return int(index), inner

    # Reloading

    async def reload(self) -> Reloaded:
        """Reload, once those before have been, and wait until every process has, or was replaced.

        A caller that is cancelled ends its waiting only.

        Raises:
            ProcessError: the settings are wrong now, a process could not take them over or be
                replaced, or the children were told to end before it was done.
        """
        return await asyncio.shield(self._ask_for_reload())

    def _ask_for_reload(self) -> asyncio.Task[Reloaded]:
        if self._next_reload is None:
            self._next_reload = asyncio.create_task(self._reload_in_turn())
            self._next_reload.add_done_callback(_tell_surprise)
        return self._next_reload

    async def _reload_in_turn(self) -> Reloaded:
        async with self._turn:
            self._next_reload = None
            if self._last_order is not None:
                raise RunError(STOPPED)
            return await self._reload()

    async def _reload(self) -> Reloaded:
        former = {child: child.settings for child in self._children}
        logs.reopen()
        try:
            change = self._reread()
        except ProcessError as error:
            logger.error("reload changed nothing: %s", error)  # noqa: TRY400 -- one line says it all
            raise
        others = asyncio.create_task(self._reload_others())
        try:
            count = await self._replace_all(former)
        except RunError as error:
            raise RunError("; ".join(filter(None, (await others, str(error))))) from error
        if why_not := await others:
            raise RunError(why_not)
        return replace(change, replaced=count)

    async def _reload_others(self) -> str:
        """Have the children whose processes go on reload, all at once; give why some have not."""
        told = [child for child in self._children if not child.replaces]
        reasons: dict[str, list[str]] = {}
        answers = await asyncio.gather(*(child.reload() for child in told))
        for child, why_not in zip(told, answers, strict=True):
            if why_not:
                reasons.setdefault(why_not, []).append(str(child))
        parts = [f"{', '.join(names)}: {why_not}" for why_not, names in reasons.items()]
        return f"not reloaded: {'; '.join(parts)}" if parts else ""

    async def _replace_all(self, former: Mapping[Child, SharedSettings]) -> int:
        """Replace one child after another; where one fails, the rest keep their settings too."""
        waiting = [child for child in self._children if child.replaces]
        count = len(waiting)
        try:
            while waiting:
                await self._replace(waiting[0])
                del waiting[0]
        except NotReplaced as error:
            for child in waiting:
                child.settings = former[child]
            left = ", ".join(map(str, waiting))
            if self._last_order is None:
                logger.error("the reload ends here; as they were: %s", left)  # noqa: TRY400 -- why was told
            raise RunError(f"{error}; as they were: {left}") from error
        if count:
            logger.info("reloaded: every process was replaced")
        return count

    async def _replace(self, child: Child) -> None:
        if self._last_order is not None:  # and its stage has not come
            raise NotReplaced(f"{child} is not replaced: it is being stopped")
        await child.replace()

    # Ending

    def _end_stage(self) -> None:
        """Tell the first stage that is left to end, unless it has been told."""
        stage = min((child.stop_stage for child in self._left), default=None)
        if self._last_order is None or stage == self._stage:
            return
        self._stage = stage
        told = [child for child in self._left if child.stop_stage == stage]
        for child in told:
            child.order(self._last_order)
        self._cancel_drain()
        if self._last_order is Order.DRAIN and told:
            limit = max(child.settings.drain_limit for child in told) + DRAIN_GRACE
            call_later = asyncio.get_running_loop().call_later
            self._drain_deadline = call_later(limit, self._drained_too_long)

    def _drained_too_long(self) -> None:
        late = [str(child) for child in self._left if child.stop_stage == self._stage]
        logger.warning("%s did not drain in time; stopping", ", ".join(late))
        self.order(Order.STOP)

    def _cancel_drain(self) -> None:
        if self._drain_deadline is not None:
            self._drain_deadline.cancel()
            self._drain_deadline = None

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


def _tell_surprise(reload: asyncio.Task[Reloaded]) -> None:
    """Log what no reload should raise; the rest was told where it was raised."""
    error = None if reload.cancelled() else reload.exception()
    if error is not None and not isinstance(error, ProcessError):
        logger.error("the reload failed", exc_info=error)
