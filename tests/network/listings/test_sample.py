"""The sample of real metadata, with a few rows in its place."""

import datetime
import sys
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from atlas.models import Dataset, Series, Study
from network import sample
from network.models import Listing

pytestmark = pytest.mark.django_db


def row(collection: str, patient: int) -> dict[str, Any]:
    uid = f"1.2.{sum(map(ord, collection))}.{patient}"
    return {
        "collection_id": collection,
        "PatientID": f"P{patient}",
        "PatientSex": "F",
        "PatientAge": "061Y",
        "StudyInstanceUID": uid,
        "StudyDate": datetime.date(2020, 1, 2),
        "StudyDescription": "Chest",
        "SeriesInstanceUID": f"{uid}.1",
        "Modality": "CT",
        "SeriesNumber": "3",
        "SeriesDescription": None,
        "BodyPartExamined": "CHEST",
        "SOPClassUID": "1.2.3",
        "TransferSyntaxUID": "1.2.4",
        "instanceCount": 100,
        "license_short_name": "CC BY 4.0",
        "Manufacturer": "SIEMENS" if patient % 2 else "Siemens Healthineers",
        "ManufacturerModelName": "A 1",
    }


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        row(name, at) for name, size in (("nsclc_one", 20), ("ispy1", 14), ("odds", 3)) for at in range(size)
    ]
    monkeypatch.setattr(sample, "_rows", lambda: rows)
    monkeypatch.setattr(sample, "VACUUM", "ANALYZE")  # a test is one transaction


@pytest.mark.usefixtures("small")
def test_collections_become_datasets_of_many_organisations() -> None:
    out = StringIO()
    call_command("load_catalogue_sample", stdout=out)
    assert "3 datasets are loaded" in out.getvalue()
    datasets = {one.slug: one for one in Dataset.objects.select_related("organisation")}
    assert {slug: one.organ for slug, one in datasets.items()} == {
        "nsclc-one": "lung",
        "ispy1": "breast",
        "odds": "several",
    }
    assert len({one.organisation_id for one in datasets.values()}) == 3
    assert Study.objects.filter(dataset=datasets["ispy1"]).count() == 14
    assert set(Series.objects.values_list("manufacturer", flat=True)) == {"Siemens"}, "as intake names them"
    told = dict(Listing.objects.values_list("slug", "subjects"))
    assert told["odds"] is None
    assert told["nsclc-one"] is not None
    assert Listing.objects.get(slug="ispy1").figures["facets"]["age"] == {"60-69": told["ispy1"]}


@pytest.mark.usefixtures("small")
def test_one_organisations_share_can_be_loaded_alone() -> None:
    call_command("load_catalogue_sample", organisation="sample-02", stdout=StringIO())
    assert Dataset.objects.get().slug == "ispy1"
    with pytest.raises(CommandError, match="sample-01 to sample-30"):
        call_command("load_catalogue_sample", organisation="sample-31")


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "idc_index_data", None)
    with pytest.raises(CommandError, match="uv sync --inexact --group bench"):
        call_command("load_catalogue_sample")
