"""Clinical facts on their way in: a file is sent, its columns are mapped, a job reads it.

Whoever may take images into a dataset may take facts in.
"""

import re
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.utils import timezone

from accounts import audit, permissions
from accounts.models import User
from accounts.permissions import Someone
from atlas.clinical import fhir, headings, mapping, originals, tables, tasks
from atlas.clinical.errors import NotTaken, Wrong
from atlas.clinical.facts import Fact
from atlas.clinical.people import People
from atlas.clinical.reading import require_nobody_named, require_nobody_told
from atlas.clinical.tables import Row, Table
from atlas.models import ClinicalImport, Dataset

audit.register("clinical.sent", "clinical.taken_back")

SAMPLE_ROWS = 5
LOOKED_AT_ROWS = 2000
BYTES_MAX = max(tables.BYTES_MAX, fhir.BYTES_MAX)
State = ClinicalImport.State


def import_or_404(user: Someone, slug: str, public_id: str) -> ClinicalImport:
    """For someone who may take images into that dataset."""
    found = ClinicalImport.objects.filter(public_id=public_id, dataset__slug=slug)
    one = found.select_related("dataset__organisation", "by").first()
    if one is None:
        raise Http404("There is no such file, or it is not for you.")
    permissions.require(user, "import_images", one.dataset)
    return one


def begin(*, by: User, dataset: Dataset, name: str, content: bytes) -> ClinicalImport:
    """Keep a sent file, sealed, until its columns are mapped. Raises ValidationError, with a sentence;
    IntakeClosed, KeyUnusable, StorageRefuses."""
    permissions.require(by, "import_images", dataset)
    people = People(dataset)
    is_json = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")
    how: dict[str, Any] = {}
    try:
        if is_json:
            bundle = fhir.read(content)
            if not people.are_named:
                require_nobody_told(bundle)
        else:
            table = Table(content)
            if not people.are_named:
                require_nobody_named(table, table.columns)
            how = _first_mapping(dataset, table)
    except NotTaken as error:
        raise ValidationError(str(error)) from error
    one = ClinicalImport(
        dataset=dataset,
        by=by,
        kind="fhir" if is_json else "csv",
        file_name=_shown(name),
        mapping=how,
        state=State.MAPPING,
    )
    one.object_key = originals.keep(dataset.organisation, one.public_id, content)
    with transaction.atomic():
        one.save()
        audit.record(by, "clinical.sent", one, dataset=dataset.pk, kind=one.kind)
        tasks.tell(one)
    return one


def _first_mapping(dataset: Dataset, table: Table) -> dict[str, Any]:
    """As the last table with these columns was mapped here; else what the names of the columns suggest."""
    beside = _beside(dataset, table)
    before = ClinicalImport.objects.filter(dataset=dataset, kind="csv").exclude(state=State.MAPPING)
    for used in before.order_by("-pk").values_list("mapping", flat=True)[:20]:
        if isinstance(used, dict) and used.get("table") == beside["table"]:
            return used
    guess = headings.guessed(table.columns, list(islice(table.rows(), LOOKED_AT_ROWS)))
    return {**guess.as_json(), **beside}


def _beside(dataset: Dataset, table: Table) -> dict[str, Any]:
    """What is kept with a mapping, of mapping.BESIDE."""
    return {
        "names": list(headings.kept(table.columns)),
        "table": originals.mark(dataset.organisation, table.columns),
    }


@dataclass(frozen=True)
class Seen:
    """The beginning of a table, for the page on which its columns are mapped: their headings, and the `names`
    by which they are kept. Cells that say who somebody is are hidden (None)."""

    columns: tuple[str, ...]
    names: tuple[str, ...]
    rows: list[list[str | None]]


def look(one: ClinicalImport) -> Seen:
    """Raises NotTaken, KeyUnusable."""
    table = Table(originals.read(one))
    told, names = one.mapping.get("columns", {}), headings.kept(table.columns)
    hidden = {
        at
        for at, heading in enumerate(table.columns)
        if headings.names_somebody(heading) or told.get(names[at]) in ("subject", "issuer")
    }
    rows = [_covered(row, hidden) for row in islice(table.rows(), SAMPLE_ROWS)]
    return Seen(table.columns, names, rows)


def _covered(row: Row, hidden: set[int]) -> list[str | None]:
    return [None if at in hidden and cell else cell[:40] for at, cell in enumerate(row.cells)]


@dataclass(frozen=True)
class Tried:
    """What a mapping makes of the first rows: (row, facts, what is wrong)."""

    rows: list[tuple[int, list[Fact], Wrong | None]]


def try_out(one: ClinicalImport, given: object) -> Tried:
    """Dates as they are written, nothing is kept. Raises NotTaken, KeyUnusable."""
    table = Table(originals.read(one))
    names = headings.kept(table.columns)
    heading_of = dict(zip(names, table.columns, strict=True))
    reader = mapping.Reader(_read(given, table), names)
    found: list[tuple[int, list[Fact], Wrong | None]] = []
    for row in islice(table.rows(), SAMPLE_ROWS):
        try:
            facts: list[Fact] = reader.facts(row)
            reader.person(row)
            found.append((row.line, facts, None))
        except Wrong as error:
            found.append((row.line, [], Wrong(error.sentence, heading_of.get(error.column, ""))))
    return Tried(found)


def _read(given: object, table: Table) -> mapping.ColumnMapping:
    """Raises NotTaken."""
    how = headings.by_kept(mapping.told(given), table.columns)
    return mapping.read(how, headings.kept(table.columns))


def start(*, by: User, one: ClinicalImport, how: object) -> ClinicalImport:
    """Map a file's columns and have it read. Raises ValidationError, KeyUnusable."""
    permissions.require(by, "import_images", one.dataset)
    if one.state != State.MAPPING:
        raise ValidationError("This file was read already. Send it again to read it in another way.")
    try:
        kept = _checked(one, how)
    except NotTaken as error:
        raise ValidationError(str(error)) from error
    with transaction.atomic():
        changed = ClinicalImport.objects.filter(pk=one.pk, state=State.MAPPING)
        if not changed.update(mapping=kept, state=State.WAITING):
            raise ValidationError("Somebody else has just had it read.")
        tasks.read_clinical_file.configure(lock=f"clinical-{one.dataset_id}").defer(import_id=one.pk)
        tasks.tell(one)
    one.refresh_from_db()
    return one


def _checked(one: ClinicalImport, how: object) -> dict[str, Any]:
    if one.kind == "csv":
        table = Table(originals.read(one))
        return {**_read(how, table).as_json(), **_beside(one.dataset, table)}
    given = how if isinstance(how, dict) else {}
    return {"issuer": mapping.issuer_of(given), "accept": mapping.accept_of(given)}


def throw_away(*, by: User, one: ClinicalImport) -> ClinicalImport:
    """Forget a file that waits, or take back what was read: its facts go. Raises ValidationError while it is
    being read."""
    permissions.require(by, "import_images", one.dataset)
    with transaction.atomic():
        one = ClinicalImport.objects.select_for_update(of=("self",)).select_related("dataset").get(pk=one.pk)
        if one.state in (State.WAITING, State.READING):
            raise ValidationError("It is being read. Wait until that is done.")
        gone, _ = one.facts.all().delete()
        ClinicalImport.objects.filter(pk=one.pk).update(state=State.UNDONE, finished_at=timezone.now())
        audit.record(by, "clinical.taken_back", one, dataset=one.dataset_id, facts=gone)
        tasks.tell(one)
        originals.discard(one)
    one.refresh_from_db()
    return one


def _shown(name: str) -> str:
    bare = re.split(r"[\\/]", name)[-1]
    return "".join(one for one in bare if one.isprintable()).strip()[:200] or "without a name"
