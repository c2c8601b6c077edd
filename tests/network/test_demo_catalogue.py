"""The demo's catalogue: drawn images come in like any others, and are enough to be counted."""

from pathlib import Path

import pytest
from django.core.management.base import CommandError
from django.test import Client

from atlas.models import Instance, Series
from network.demo import catalogue, seed_catalogue
from network.models import Listing


@pytest.mark.usefixtures("db")
def test_a_seeded_catalogue_tells_counts_and_shows_pictures(settings, tmp_path: Path, monkeypatch) -> None:
    settings.DEMO = True
    settings.OBJECTS_DIR = tmp_path / "objects"
    monkeypatch.setattr(catalogue, "DRAWN", catalogue.DRAWN[1:2])
    seed_catalogue(lambda line: None)
    listing = Listing.objects.get()
    assert (listing.country, listing.access, listing.answers) == ("ES", "request", "itself")
    assert abs(listing.subjects - catalogue.SUBJECTS) < 10
    assert not Series.objects.exclude(state=Series.State.READY).exists()
    answer = Client().get(f"/catalogue/{listing.slug}/pictures/1/")
    assert answer.content[8:12] == b"WEBP"
    facets = set(listing.facets.values_list("facet", "value"))
    assert {("organ", "breast"), ("modality", "MR"), ("sex", "F"), ("body_part", "BREAST")} <= facets

    before = Instance.objects.count()
    seed_catalogue(lambda line: None)
    assert Instance.objects.count() == before


def test_nothing_is_drawn_on_a_node_that_is_no_demo(settings) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="ATLAS_DEMO"):
        seed_catalogue(lambda line: None)
