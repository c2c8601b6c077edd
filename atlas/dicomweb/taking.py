"""What leaves the node: allowed to those who may take it, and written down as taken."""

from collections.abc import Iterable

from atlas.access import record_taking, taken_lately
from atlas.dicomweb.answers import Problem
from atlas.dicomweb.decisions import STAYS_HERE
from atlas.dicomweb.located import Located
from atlas.dicomweb.requests import Request
from atlas.dicomweb.scope import in_database, scope_of


async def take_files(request: Request, series: Iterable[Located]) -> None:
    """Files of these series are about to be sent. Raises Problem (403) for someone who may only look."""
    every = list(series)
    if any(one.stays_here for one in every):
        raise Problem(403, STAYS_HERE)
    user = (await scope_of(request.credentials, request.root)).user
    wanted = {one.pk for one in every}
    new = wanted - taken_lately(user, wanted)
    if new and not request.is_head:
        await in_database(record_taking)(user, new)


async def take_pixels(request: Request, series: Located) -> None:
    """Frames or other values are about to be sent: looked at by a viewer in the browser, taken by a program.
    Raises Problem (403) for someone who may only look."""
    if request.credentials.authorization:
        await take_files(request, [series])
    elif series.stays_here:
        raise Problem(403, STAYS_HERE)
