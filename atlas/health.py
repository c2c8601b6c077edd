"""`/health`: whether this node can work, and if not, which part is missing."""

from http import HTTPStatus

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from atlas.jobs import STALLED_S

READY = "ready"


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when database, migrations, cache and a worker are there, else 503; each part in a word or two."""
    parts = check()
    ready = all(state == READY for state in parts.values())
    status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JsonResponse({"ready": ready, **parts}, status=status)


def check() -> dict[str, str]:
    """The state of each part: "ready", or what is wrong."""
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return {"database": "The database does not answer."}
    parts = {"database": READY, "migrations": _migrations()}
    if parts["migrations"] == READY:
        parts["worker"] = _worker()
        parts["cache"] = _cache()
    return parts


_migrated = False  # once true it stays true for this process, and reading the graph costs 50 ms


def _migrations() -> str:
    global _migrated
    if not _migrated:
        missing = unapplied_migrations()
        if missing:
            return f"{missing} migrations are not applied: run `python manage.py migrate`."
        _migrated = True
    return READY


def unapplied_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _worker() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM procrastinate_workers"
            " WHERE last_heartbeat > now() - make_interval(secs => %s) LIMIT 1",
            [STALLED_S],
        )
        found = cursor.fetchone()
    return READY if found else "No worker runs: start `python manage.py worker`."


def _cache() -> str:
    try:
        cache.get("health")
    except DatabaseError:
        return "The cache table is missing: run `python manage.py createcachetable`."
    return READY
