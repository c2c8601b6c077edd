"""The search for text between intake and everybody's eyes."""

import numpy as np
import pydicom
import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from atlas import policies
from atlas.archive import generations, sealing, text_search
from atlas.archive.storage import open_instance, storage
from atlas.models import Instance, Series
from tests.atlas.slices import series
from tests.atlas.writing import NAME, drawn, ultrasound

Hold = Instance.Hold


@pytest.fixture
def taken(take):
    """Take files in without a search; the instances by instance number."""

    def taken(*files: bytes) -> list[Instance]:
        outcomes = take(list(files), is_searched=False)
        assert {outcome.status for outcome in outcomes} == {"stored"}, [one.reason for one in outcomes]
        return list(Instance.objects.order_by("instance_number", "pk"))

    return taken


def pair(**attributes) -> list[bytes]:
    """Two ultrasound images of one series: the first has a name in it, the second nothing."""
    study, own = pydicom.uid.generate_uid(), pydicom.uid.generate_uid()
    common = {"StudyInstanceUID": study, "SeriesInstanceUID": own, **attributes}
    return [
        ultrasound(drawn(), InstanceNumber=1, **common),
        ultrasound(drawn(""), InstanceNumber=2, **common),
    ]


def test_an_ultrasound_image_is_held_from_the_moment_it_is_indexed(taken, manager):
    held = taken(*pair())
    assert [one.hold for one in held] == [Hold.CHECKING, Hold.CHECKING]
    assert not policies.visible_instances(manager).exists()
    jobs = ProcrastinateJob.objects.filter(task_name="atlas.search_for_text")
    assert [job.args for job in jobs] == [{"series_id": held[0].series_id}]


def test_slices_of_a_scanner_are_not_held(taken, manager):
    taken(*series([(0, 0, 0), (0, 0, 1)]))
    assert policies.visible_instances(manager).count() == 2
    assert not ProcrastinateJob.objects.filter(task_name="atlas.search_for_text").exists()


def test_what_holds_text_waits_and_what_holds_none_goes_on(taken, manager):
    with_name, without = taken(*pair())
    assert text_search.search(with_name.series_id) == 2
    with_name.refresh_from_db()
    without.refresh_from_db()
    assert (with_name.hold, without.hold) == (Hold.TEXT, Hold.NONE)
    assert list(policies.visible_instances(manager)) == [without]
    (box,) = with_name.text_boxes
    assert set(box) == {"frame", "column", "row", "columns", "rows", "score"}
    assert box["column"] < 40 < box["column"] + box["columns"]
    assert box["row"] < 42 < box["row"] + box["rows"]


def test_a_held_image_is_in_no_manifest_pack_or_thumbnail_and_the_series_says_so(taken):
    with_name, without = taken(*pair())
    text_search.search(with_name.series_id)
    sealed = sealing.seal(with_name.series_id)
    manifest = generations.read_manifest(sealed.manifest_key)
    assert sealed.frame_count == 1
    assert with_name.sop_instance_uid not in str(manifest)
    assert "1 image is kept back: the pixels may hold text." in [one["sentence"] for one in sealed.findings]
    with_name.refresh_from_db()
    without.refresh_from_db()
    assert without.object_key == sealed.pack_key
    assert with_name.object_key != sealed.pack_key
    assert with_name.sop_instance_uid.encode() not in b"".join(
        [storage().read_range(sealed.pack_key, 0, storage().size(sealed.pack_key))]
    )


def test_a_series_that_is_searched_while_sealed_is_sealed_again(taken):
    with_name, _ = taken(*pair())
    first = sealing.seal(with_name.series_id)
    assert first.state == Series.State.READY
    assert [one["sentence"] for one in first.findings] == [
        "Its images wait for the search for text in their pixels."
    ]
    text_search.search(with_name.series_id)
    first.refresh_from_db()
    assert first.state == Series.State.ARRIVING
    assert ProcrastinateJob.objects.filter(
        task_name="atlas.seal_series", args={"series_id": first.pk}
    ).exists()
    assert sealing.seal(with_name.series_id).state == Series.State.READY


def test_a_series_of_which_all_images_hold_text_says_that_they_are_kept_back(taken):
    (with_name,) = taken(pair()[0])
    sealing.seal(with_name.series_id)
    text_search.search(with_name.series_id)
    assert Series.objects.get().state == Series.State.ARRIVING  # it is told of anew
    after = sealing.seal(with_name.series_id)
    assert (after.state, after.frame_count) == (Series.State.READY, 0)
    assert [one["sentence"] for one in after.findings] == [
        "All its images are kept back: their pixels may hold text."
    ]


def test_text_on_a_later_frame_of_a_clip_is_found(taken):
    frames = np.stack([drawn("")] * 9 + [drawn()] + [drawn("")] * 2)
    (clip,) = taken(ultrasound(frames))
    text_search.search(clip.series_id)
    clip.refresh_from_db()
    assert clip.hold == Hold.TEXT
    assert [box["frame"] for box in clip.text_boxes] == [0]  # on every frame


def test_pixels_that_cannot_be_decoded_wait_for_a_person(taken):
    content = ultrasound(drawn())
    (cut,) = taken(content[:-60_000])
    text_search.search(cut.series_id)
    cut.refresh_from_db()
    assert cut.hold == Hold.UNCHECKED


def test_a_disk_that_fails_is_no_verdict_about_the_pixels(taken, monkeypatch):
    (image,) = taken(ultrasound(drawn()))

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(text_search, "open_instance", full)
    with pytest.raises(OSError, match="No space"):
        text_search.search(image.series_id)
    image.refresh_from_db()
    assert image.hold == Hold.CHECKING


def test_a_search_that_takes_long_gives_way_and_goes_on(taken):
    images = taken(*pair())
    ProcrastinateJob.objects.all().update(status="succeeded")
    assert text_search.search(images[0].series_id, seconds=0) == 1
    assert ProcrastinateJob.objects.filter(task_name="atlas.search_for_text", status="todo").count() == 1
    assert text_search.search(images[0].series_id, seconds=0) == 1
    assert text_search.search(images[0].series_id) == 0


def test_an_image_whose_job_was_given_up_is_searched_by_the_next_round(taken):
    images = taken(*pair())
    ProcrastinateJob.objects.all().update(status="failed")
    text_search.search_what_waits(0)
    text_search.search_what_waits(0)
    jobs = ProcrastinateJob.objects.filter(task_name="atlas.search_for_text", status="todo")
    assert [job.args for job in jobs] == [{"series_id": images[0].series_id}]


def test_where_the_dataset_wants_it_the_header_says_that_the_pixels_were_searched(taken, dataset):
    dataset.deidentification_options = ["clean_pixel_data"]
    dataset.save()
    _, without = taken(*pair())
    old_key, pixels = without.object_key, pydicom.dcmread(open_instance(without)).PixelData
    text_search.search(without.series_id)
    without.refresh_from_db()
    stored = pydicom.dcmread(open_instance(without))
    assert without.hold == Hold.NONE
    assert [code.CodeValue for code in stored.DeidentificationMethodCodeSequence][-1] == "113101"
    assert stored.BurnedInAnnotation == "NO"
    assert stored.PixelData == pixels
    assert without.size == storage().size(without.object_key)
    with pytest.raises(Exception, match="not in storage"):
        storage().size(old_key)


def test_nothing_of_the_text_is_kept_or_logged(taken, caplog):
    (image, *_) = taken(*pair())
    with caplog.at_level("DEBUG"):
        text_search.search(image.series_id)
    image.refresh_from_db()
    said = caplog.text + str(image.text_boxes)
    assert not any(word in said for word in NAME.replace(",", "").split())


def test_sending_a_file_again_after_it_was_searched_changes_nothing(taken, take):
    files = pair()
    image, _ = taken(*files)
    text_search.search(image.series_id)
    assert {outcome.status for outcome in take(files, is_searched=False)} == {"known"}
    image.refresh_from_db()
    assert image.hold == Hold.TEXT
