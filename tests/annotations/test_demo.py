"""The demo: everything is there after seeding once, and seeding again keeps what was drawn."""

from pathlib import Path

import numpy as np
import pytest
from django.core.management.base import CommandError

from accounts.models import User
from annotations.demo import marks, seed_demo
from annotations.demo.people import PASSWORD, PEOPLE
from annotations.exchange.source import FrameKey, SourceFrame
from annotations.measures import geometry
from annotations.models import Edit, ImportedSegment, Read, Release, ReleaseFile
from annotations.reading import reads
from atlas import samples
from atlas.models import Dataset, Instance, Series


@pytest.fixture
def demo_node(settings, tmp_path: Path, pyradiomics_archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEMO = True
    settings.OBJECTS_DIR = tmp_path / "objects"
    monkeypatch.setattr(samples, "cache_folder", lambda: pyradiomics_archive.parent)


def states() -> dict[tuple[str, str], str]:
    found = Read.objects.values_list("case__subject__pseudonym", "reader__username", "state")
    return {(case, reader): state for case, reader, state in found}


@pytest.mark.usefixtures("db", "demo_node")
def test_a_seeded_node_has_people_images_reads_and_a_release() -> None:
    said: list[str] = []
    seed_demo(said.append)
    assert {user.username for user in User.objects.all() if user.check_password(PASSWORD)} == set(PEOPLE)
    images = Series.objects.filter(frame_count__gt=0).values_list("study__subject__pseudonym", "frame_count")
    assert dict(images) == {"brain1": 25, "brain2": 23, "breast1": 21, "lung1": 48, "lung2": 61}
    assert set(Dataset.objects.values_list("name", "organ")) == {
        ("Brain MR", "brain"),
        ("Breast MR", "breast"),
        ("Lung CT", "lung"),
    }
    assert all("not stated" in dataset.licence for dataset in Dataset.objects.all())
    outlines = ImportedSegment.objects.values_list("series__study__subject__pseudonym", flat=True)
    assert sorted(outlines) == ["brain1", "brain2", "breast1", "lung1", "lung2"]
    assert states() == {
        ("brain1", "reader1"): "accepted",
        ("brain2", "reader2"): "submitted",
        ("breast1", "reader1"): "assigned",
        ("breast1", "reader2"): "assigned",
        ("lung1", "reader1"): "assigned",
        ("lung1", "reader2"): "assigned",
        ("lung2", "reader1"): "assigned",
    }
    release = Release.objects.get()
    assert (release.number, release.state, release.cases_done) == (1, Release.State.READY, 1)
    assert ReleaseFile.objects.filter(release=release, format="seg").count() == 1

    # Someone works; then the demo starts again.
    read = Read.objects.get(case__subject__pseudonym="lung1", reader__username="reader1")
    drawn = marks.draw(read, ImportedSegment.objects.get(series__study__cases=read.case))
    reads.submit(user=read.reader, read_id=read.public_id, number=drawn)
    before = (states(), Edit.objects.count(), Instance.objects.count(), Release.objects.count())
    seed_demo(said.append)
    assert (states(), Edit.objects.count(), Instance.objects.count(), Release.objects.count()) == before
    assert before[0]["lung1", "reader1"] == "submitted"


@pytest.mark.usefixtures("db")
def test_no_other_node_gets_accounts_with_a_public_password(settings) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="public password"):
        seed_demo(lambda line: None)
    assert not User.objects.exists()


def test_the_diameters_of_an_outline_are_its_longest_and_the_longest_across() -> None:
    frame = SourceFrame(
        key=FrameKey("1.2", 1),
        rows=60,
        columns=80,
        position=(10.0, -20.0, 5.0),
        orientation=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
        row_mm=0.5,
        column_mm=0.8,
        slope=None,
        intercept=None,
    )
    rows, columns = np.mgrid[:60, :80]
    ellipse = ((columns - 40) * 0.8 / 20) ** 2 + ((rows - 30) * 0.5 / 9) ** 2 <= 1  # 40 × 18 mm
    points = marks.axes_of(ellipse, frame)
    axes = geometry.bidirectional(points)
    assert axes.long == pytest.approx(40, abs=0.8)
    assert axes.short == pytest.approx(18, abs=0.8)
    long, short = points[1] - points[0], points[3] - points[2]
    assert abs(long @ short) < 1e-6
    np.testing.assert_allclose(points.mean(axis=0), (10 + 40 * 0.8, -20 + 30 * 0.5, 5), atol=0.8)
