"""The real metadata of a public archive of cancer images as datasets of many organisations: 1,044,191 series
of 86,362 patients in 179 collections, from PyPI's idc-index-data. Rows only: there are no images behind them.
"""

import random
import string
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any

from django.db import connection, models
from django.utils import timezone

from accounts.models import Organisation
from atlas.dicom.scanners import maker_named
from atlas.models import Dataset, Instance, Series, Study, Subject

COLUMNS = [
    *("collection_id", "PatientID", "PatientSex", "PatientAge", "StudyInstanceUID", "StudyDate"),
    *("StudyDescription", "SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription"),
    *("BodyPartExamined", "SOPClassUID", "TransferSyntaxUID", "instanceCount", "license_short_name"),
    *("Manufacturer", "ManufacturerModelName"),
]
TENTHS = 10
ORGANISATIONS = 30
COUNTRIES = ("AT", "BE", "DE", "DK", "ES", "FI", "FR", "GR", "IE", "IT", "NL", "NO", "PL", "PT", "SE")
ORGANS = {
    "brain": "brain gbm lgg glioma glioblastoma meningioma vestibular schwannoma brats ucsf upenn",
    "head_and_neck": "head neck hnscc opc oropharynx thyroid thca",
    "lung": "lung nsclc nlst lidc luad lusc spie rider midrc covid cptac_lscc",
    "breast": "breast brca ispy duke acrin_6698 acrin_flt tnbc",
    "liver": "liver lihc hcc",
    "pancreas": "pancrea pda pdac",
    "kidney": "kidney kirc kirp kich kits ccrcc renal",
    "colorectal": "colon colorectal coad read rectal crc ct_colonography",
    "uterus_ovary": "ucec ovarian cervical cesc uterus ov uterine",
    "bladder": "bladder blca",
    "prostate": "prostate prad",
    "soft_tissue": "sarcoma sarc soft_tissue rhabdo",
}
"""Where the primary tumour of a collection lies, told by a word of its name."""
INSTANCES_OF_EVERY = 100  # without `full`, only each hundredth series has rows for its instances
SEED = 20260114
VACUUM = "VACUUM ANALYZE"
_random = random.Random(SEED)  # noqa: S311  # names that need not be secret


class SampleMissing(Exception):
    """The metadata isn't installed. The message says what to do."""


def slugs() -> list[str]:
    return [f"sample-{at:02}" for at in range(1, ORGANISATIONS + 1)]


def organisations() -> dict[str, Organisation]:
    """Thirty, in fifteen countries, by slug: made where they aren't there."""
    found = {}
    for at, slug in enumerate(slugs()):
        found[slug], _ = Organisation.objects.get_or_create(
            slug=slug,
            defaults={"name": f"Sample provider {at + 1}", "country": COUNTRIES[at % len(COUNTRIES)]},
        )
    return found


def spread(only: str = "") -> int:
    """Load every collection as a dataset of one of thirty organisations; `only`: that organisation's alone.
    Returns how many datasets those are. Raises SampleMissing."""
    rows = _rows()
    known = organisations()
    shares = _shared_out((row["collection_id"] for row in rows), ORGANISATIONS)
    owner = {name: slugs()[share] for name, share in shares.items()}
    chosen = {name for name, slug in owner.items() if only in ("", slug)}
    _load([row for row in rows if row["collection_id"] in chosen], lambda name: known[owner[name]], every=0)
    return len(chosen)


def load_share(organisation_slug: str, share: int, shares: int) -> list[int]:
    """Load one of so many shares, about as large as the others, as datasets of one organisation. Returns
    their primary keys. Raises SampleMissing."""
    _random.seed(SEED + share)
    organisation = Organisation.objects.get(slug=organisation_slug)
    names = (row["collection_id"] for row in _rows(["collection_id"]))
    mine = [name for name, its in _shared_out(names, shares).items() if its == share % shares]
    rows = _rows(filters=[("collection_id", "in", mine)])
    return sorted(_load(rows, lambda _: organisation, every=0).values())


def _shared_out(collections: Iterable[str], shares: int) -> dict[str, int]:
    """The share of each collection (named once for each of its series): the largest first, to the share that
    has least."""
    load: Counter[int] = Counter(dict.fromkeys(range(shares), 0))
    found = {}
    for name, size in Counter(collections).most_common():
        found[name] = min(load, key=lambda share: (load[share], share))
        load[found[name]] += size
    return found


def load(organisation_slug: str, tenths: range, *, full: bool) -> None:
    """Load these tenths of the patients (0 to 9) as datasets of one organisation, with rows for the instances
    of every series (`full`) or of each hundredth. Each call adds to what is there. Raises SampleMissing."""
    _random.seed(SEED + tenths.start)  # the same names at every run, others for each part
    organisation = Organisation.objects.get(slug=organisation_slug)
    rows = _rows()
    everyone = sorted({(row["collection_id"], row["PatientID"]) for row in rows})
    chosen = {who for at, who in enumerate(everyone) if at % TENTHS in tenths}
    rows = [row for row in rows if (row["collection_id"], row["PatientID"]) in chosen]
    _load(rows, lambda _: organisation, every=1 if full else INSTANCES_OF_EVERY)


def _rows(columns: list[str] = COLUMNS, filters: list[Any] | None = None) -> list[dict[str, Any]]:
    try:
        import idc_index_data
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise SampleMissing(
            "The sample needs the package idc-index-data: install it with "
            "`uv sync --inexact --group bench`, or `pip install idc-index-data`."
        ) from error
    table = parquet.read_table(idc_index_data.IDC_INDEX_PARQUET_FILEPATH, columns=columns, filters=filters)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _load(
    rows: list[dict[str, Any]], organisation_of: Callable[[str], Organisation], *, every: int
) -> dict[str, int]:
    """Datasets by the name of their collection. `every`: of every so many-th series the instances get rows;
    0 for none."""
    datasets = _datasets(rows, organisation_of)
    owners = {name: organisation_of(name).pk for name in datasets}
    subjects = _copy(
        Subject,
        "pseudonym",
        {
            _who(row): {
                "organisation_id": owners[row["collection_id"]],
                "pseudonym": _who(row),
                "sex": row["PatientSex"] if row["PatientSex"] in ("M", "F", "O") else "",
            }
            for row in rows
        },
    )
    studies = _copy(
        Study,
        "study_instance_uid",
        {
            row["StudyInstanceUID"]: {
                "organisation_id": owners[row["collection_id"]],
                "dataset_id": datasets[row["collection_id"]],
                "subject_id": subjects[_who(row)],
                "study_instance_uid": row["StudyInstanceUID"],
                "date": row["StudyDate"],
                "description": _text(row["StudyDescription"]),
                "age_years": _years(row["PatientAge"]),
            }
            for row in rows
        },
    )
    series = _copy(
        Series,
        "series_instance_uid",
        {
            row["SeriesInstanceUID"]: {
                "organisation_id": owners[row["collection_id"]],
                "study_id": studies[row["StudyInstanceUID"]],
                "series_instance_uid": row["SeriesInstanceUID"],
                "modality": row["Modality"] or "OT",
                "number": _number(row["SeriesNumber"]),
                "description": _text(row["SeriesDescription"]),
                "body_part": _text(row["BodyPartExamined"], 16),
                "manufacturer": maker_named(row["Manufacturer"] or ""),
                "model_name": _text(row["ManufacturerModelName"]),
                "state": Series.State.READY,
                "changed_at": timezone.now(),
                "generation": 1,
                "instance_count": row["instanceCount"],
                "frame_count": row["instanceCount"],
            }
            for row in rows
        },
    )
    if every:
        with_owner = ((row, owners[row["collection_id"]]) for row in rows[::every])
        _copy_rows(Instance, _instances(with_owner, series))
    with connection.cursor() as cursor:
        cursor.execute(VACUUM)
    return datasets


def _datasets(
    rows: Iterable[dict[str, Any]], organisation_of: Callable[[str], Organisation]
) -> dict[str, int]:
    licences = {row["collection_id"]: row["license_short_name"] for row in rows}
    found = {}
    for name, licence in sorted(licences.items()):
        dataset, _ = Dataset.objects.get_or_create(
            slug=name.replace("_", "-")[:60],
            defaults={
                "organisation": organisation_of(name),
                "name": name.replace("_", " ").upper(),
                "organ": _organ(name),
                "licence": _text(licence, 80),
                "deidentification": Dataset.Deidentification.ALREADY_DONE,
            },
        )
        found[name] = dataset.pk
    return found


def _organ(collection: str) -> str:
    for organ, words in ORGANS.items():
        if any(word in collection for word in words.split() if len(word) > 3):
            return organ
        if set(words.split()) & set(collection.split("_")):
            return organ
    return Dataset.Organ.SEVERAL


def _instances(
    rows: Iterable[tuple[dict[str, Any], int]], series: dict[str, int]
) -> Iterator[dict[str, Any]]:
    serial = count(1)
    for row, organisation_id in rows:
        uid = row["SeriesInstanceUID"]
        for number in range(1, row["instanceCount"] + 1):
            yield {
                "organisation_id": organisation_id,
                "series_id": series[uid],
                "sop_instance_uid": f"2.25.{next(serial):020d}{series[uid]}",
                "sop_class_uid": row["SOPClassUID"] or "",
                "transfer_syntax_uid": row["TransferSyntaxUID"] or "",
                "instance_number": number,
                "number_of_frames": 1,
                "original_sha256": "",
                "stored_sha256": "",
                "size": 526_000,
                "object_key": "",
            }


def _copy(model: type[models.Model], unique: str, by_key: dict[str, dict[str, Any]]) -> dict[str, int]:
    """Write rows that aren't there, as told by the column `unique`; returns the primary key of each. A study
    may be part of two collections, so of two parts."""
    keys: dict[str, int] = dict(model._default_manager.values_list(unique, "pk"))
    first = max(keys.values(), default=0) + 1
    made = [key for key in by_key if key not in keys]
    keys |= {key: first + at for at, key in enumerate(made)}
    _copy_rows(model, ({"id": keys[key]} | by_key[key] for key in made))
    return keys


def _copy_rows(model: type[models.Model], rows: Iterator[dict[str, Any]]) -> None:
    """COPY; what a row leaves out gets the model's default."""
    fields = [field for field in model._meta.concrete_fields if field.attname != "id"]
    has_id = None
    with connection.cursor() as cursor:
        copy = None
        for row in rows:
            if copy is None:
                has_id = "id" in row
                names = ["id"] * has_id + [str(field.column) for field in fields]
                statement = f"COPY {model._meta.db_table} ({', '.join(names)}) FROM STDIN"
                opened = cursor.copy(statement)
                copy = opened.__enter__()
            values = [row["id"]] if has_id else []
            copy.write_row(values + [_value(field, row) for field in fields])
        if copy is not None:
            opened.__exit__(None, None, None)
        cursor.execute(  # names of tables, nothing that was sent
            f"SELECT setval(pg_get_serial_sequence('{model._meta.db_table}', 'id'), max(id)) "  # noqa: S608
            f"FROM {model._meta.db_table}"
        )


def _value(field: "models.Field[Any, Any]", row: dict[str, Any]) -> Any:
    if field.attname in row:
        return row[field.attname]
    if field.name == "public_id":
        return "".join(_random.choices(string.digits + string.ascii_lowercase, k=12))
    if getattr(field, "auto_now_add", False):
        return timezone.now()
    default = field.get_default()
    return "[]" if default == [] else default


def _who(row: dict[str, Any]) -> str:
    """Patients of two collections may have the same number."""
    return f"{row['PatientID']}@{row['collection_id']}"[:64]


def _text(written: str | None, length_max: int = 64) -> str:
    return "".join(character for character in written or "" if character.isprintable())[:length_max]


def _years(written: str | None) -> int | None:
    return int(written[:3]) if written and written[:3].isdigit() and written.endswith("Y") else None


def _number(written: str | None) -> int | None:
    return int(written) if written and written.lstrip("-").isdigit() and len(written) < 10 else None
