"""Fills a node's index with the real metadata of a public archive of cancer images: 1,044,191 series of
86,000 patients in 179 collections, from PyPI's idc-index-data. Rows only: there are no images behind them.

Runs inside the node (`manage.py shell`), because it writes to tables as the models describe them.
"""

import random
import string
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

import idc_index_data
import pyarrow.parquet as parquet
from django.db import connection, models
from django.utils import timezone

from accounts.models import Organisation
from atlas.models import Dataset, Instance, Series, Study, Subject

COLUMNS = [
    *("collection_id", "PatientID", "PatientSex", "PatientAge", "StudyInstanceUID", "StudyDate"),
    *("StudyDescription", "SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription"),
    *("BodyPartExamined", "SOPClassUID", "TransferSyntaxUID", "instanceCount"),
]
TENTHS = 10
INSTANCES_OF_EVERY = 100  # without `full`, only each hundredth series has rows for its instances
SEED = 20260114
_random = random.Random(SEED)


def load(organisation_slug: str, tenths: range, *, full: bool) -> None:
    """Load these tenths of the patients (0 to 9). Each call adds to what is there."""
    _random.seed(SEED + tenths.start)  # the same names at every run, others for each part
    organisation = Organisation.objects.get(slug=organisation_slug)
    table = parquet.read_table(idc_index_data.IDC_INDEX_PARQUET_FILEPATH, columns=COLUMNS)
    everyone = sorted(set(zip(*(table[name].to_pylist() for name in COLUMNS[:2]), strict=True)))
    chosen = {who for at, who in enumerate(everyone) if at % TENTHS in tenths}
    rows = [row for row in table.to_pylist() if (row["collection_id"], row["PatientID"]) in chosen]
    datasets = _datasets(organisation, {row["collection_id"] for row in rows})
    subjects = _copy(
        Subject,
        "pseudonym",
        {
            _who(row): {
                "organisation_id": organisation.pk,
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
                "organisation_id": organisation.pk,
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
                "organisation_id": organisation.pk,
                "study_id": studies[row["StudyInstanceUID"]],
                "series_instance_uid": row["SeriesInstanceUID"],
                "modality": row["Modality"] or "OT",
                "number": _number(row["SeriesNumber"]),
                "description": _text(row["SeriesDescription"]),
                "body_part": _text(row["BodyPartExamined"], 16),
                "state": Series.State.READY,
                "changed_at": timezone.now(),
                "generation": 1,
                "instance_count": row["instanceCount"],
                "frame_count": row["instanceCount"],
            }
            for row in rows
        },
    )
    wanted = rows if full else rows[::INSTANCES_OF_EVERY]
    _copy_rows(Instance, _instances(wanted, organisation.pk, series))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _datasets(organisation: Organisation, names: set[str]) -> dict[str, int]:
    for name in sorted(names):
        Dataset.objects.get_or_create(
            slug=name.replace("_", "-")[:60],
            defaults={"organisation": organisation, "name": name, "deidentification": "already_done"},
        )
    return {name: Dataset.objects.get(slug=name.replace("_", "-")[:60]).pk for name in names}


def _instances(rows: Iterable[dict], organisation_id: int, series: dict[str, int]) -> Iterator[dict]:
    serial = count(1)
    for row in rows:
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


def _copy(model: type[models.Model], unique: str, by_key: dict[str, dict]) -> dict[str, int]:
    """Write rows that aren't there, as told by the column `unique`; returns the primary key of each. A study
    may be part of two collections, so of two parts."""
    keys: dict[str, int] = dict(model._default_manager.values_list(unique, "pk"))
    first = max(keys.values(), default=0) + 1
    made = [key for key in by_key if key not in keys]
    keys |= {key: first + at for at, key in enumerate(made)}
    _copy_rows(model, ({"id": keys[key]} | by_key[key] for key in made))
    return keys


def _copy_rows(model: type[models.Model], rows: Iterator[dict]) -> None:
    """COPY; what a row leaves out gets the model's default."""
    fields = [field for field in model._meta.concrete_fields if field.attname != "id"]
    has_id = None
    with connection.cursor() as cursor:
        copy = None
        for row in rows:
            if copy is None:
                has_id = "id" in row
                names = ["id"] * has_id + [field.column for field in fields]
                statement = f"COPY {model._meta.db_table} ({', '.join(names)}) FROM STDIN"
                opened = cursor.copy(statement)
                copy = opened.__enter__()
            values = [row["id"]] if has_id else []
            copy.write_row(values + [_value(field, row) for field in fields])
        if copy is not None:
            opened.__exit__(None, None, None)
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{model._meta.db_table}', 'id'), max(id)) "
            f"FROM {model._meta.db_table}"
        )


def _value(field: models.Field, row: dict) -> Any:
    if field.attname in row:
        return row[field.attname]
    if field.name == "public_id":
        return "".join(_random.choices(string.digits + string.ascii_lowercase, k=12))
    if getattr(field, "auto_now_add", False):
        return timezone.now()
    default = field.get_default()
    return "[]" if default == [] else default


def _who(row: dict) -> str:
    """Patients of two collections may have the same number."""
    return f"{row['PatientID']}@{row['collection_id']}"[:64]


def _text(written: str | None, length_max: int = 64) -> str:
    return "".join(character for character in written or "" if character.isprintable())[:length_max]


def _years(written: str | None) -> int | None:
    return int(written[:3]) if written and written[:3].isdigit() and written.endswith("Y") else None


def _number(written: str | None) -> int | None:
    return int(written) if written and written.lstrip("-").isdigit() and len(written) < 10 else None
