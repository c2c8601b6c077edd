"""Held images are decided about by those who look after their dataset, and by nobody else."""

import io
import json
import time
import zipfile

import numpy as np
import pydicom
import pytest
from django.test import Client
from PIL import Image
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts import permissions
from accounts.models import AuditRecord
from atlas import policies
from atlas.archive import generations, quarantine, sealing, text_search
from atlas.archive.storage import ObjectMissing, open_instance, storage
from atlas.dicom.pixel_text import Box
from atlas.models import Generation, Instance
from tests.atlas.slices import series
from tests.atlas.writing import drawn, ultrasound
from tests.cast import person, signed_in

Hold = Instance.Hold
NAME_BOX = Box(0, 10, 20, 460, 50)


@pytest.fixture
def images(take) -> list[Instance]:
    """A series as a search leaves it: three images with a name, the last one with a line below it, too."""
    common = {"StudyInstanceUID": pydicom.uid.generate_uid(), "SeriesInstanceUID": pydicom.uid.generate_uid()}
    below = drawn("ST. ELSEWHERE", at=(20, 190))
    arrays = [drawn(), drawn("OKAFOR, ADA 4711"), np.maximum(drawn(), below)]
    take(
        [ultrasound(array, InstanceNumber=n, **common) for n, array in enumerate(arrays, start=1)],
        is_searched=False,
    )
    found = list(Instance.objects.select_related("series").order_by("instance_number"))
    for image in found:
        lines = [Box(0, 18, 30, 320, 26, 0.98), Box(0, 18, 188, 190, 26, 0.97)]
        image.text_boxes = [box.as_json() for box in lines[: 2 if image is found[2] else 1]]
        image.hold = Hold.TEXT
        image.save()
    return found


def address(image: Instance, end: str = "") -> str:
    return f"/datasets/chest-ct/quarantine/{image.series.public_id}/{image.original_sha256[:20]}/{end}"


def decide(client: Client, image: Instance, action: str, boxes: list[Box] | None = None, **more: str):
    image.refresh_from_db()
    sent = {
        "action": action,
        "seen": image.stored_sha256[:20],
        "boxes": json.dumps([box.as_json() for box in boxes or []]),
        **more,
    }
    return client.post(address(image, "decide/"), sent)


def holds() -> list[str]:
    return list(Instance.objects.order_by("instance_number").values_list("hold", flat=True))


def test_the_list_opens_with_its_first_image_and_its_boxes(images, manager):
    page = signed_in(manager).get("/datasets/chest-ct/quarantine/").content.decode()
    assert "3 waiting" in page
    assert "1 of 3" in page
    assert address(images[0], "picture/") in page
    assert '<rect x="' in page
    assert "LINDQVIST" not in page


def test_the_picture_is_the_frame_as_large_as_it_is_and_is_not_cached(images, manager):
    answer = signed_in(manager).get(address(images[0], "picture/"))
    assert answer.headers["Cache-Control"] == "private, no-store"
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.size == (480, 240)
    assert np.asarray(picture.convert("L"))[25:60].max() > 200
    assert AuditRecord.objects.filter(verb="series.viewed", actor=manager).exists()


@pytest.mark.parametrize("is_colour", [False, True])
def test_faint_words_show_once_shades_are_spread_evenly(take, manager, is_colour):
    faint = (drawn(at=(20, 30)) > 200).astype(np.uint8) * 3
    take([ultrasound(np.stack([faint] * 3, axis=-1) if is_colour else faint)], is_searched=False)
    path = address(Instance.objects.select_related("series").get(), "picture/")
    plain, even = (
        np.asarray(Image.open(io.BytesIO(signed_in(manager).get(path + end).content)).convert("L"))
        for end in ("", "?even=1")
    )
    assert plain.max() < 20
    assert even.max() > 150


def test_a_picture_that_cannot_be_shown_says_why(take, manager):
    outcome = take([ultrasound(drawn())[:-60_000]], is_searched=False)[0]
    text_search.search(outcome.series_id)
    answer = signed_in(manager).get(address(Instance.objects.get(), "picture/"))
    assert answer.status_code == 409
    assert "cut off" in answer.content.decode()
    page = signed_in(manager).get("/datasets/chest-ct/quarantine/").content.decode()
    assert "could not be searched" in page


def test_black_out_paints_deletes_the_old_bytes_and_shows_the_image(images, manager):
    image = images[0]
    old_key = image.object_key
    answer = decide(signed_in(manager), image, "black_out", [NAME_BOX])
    assert answer.headers["Location"] == address(images[1])
    assert holds()[0] == Hold.PAINTING
    assert not policies.visible_instances(manager).exists()
    assert quarantine.paint(image.series_id) == 1
    image.refresh_from_db()
    with open_instance(image) as file:
        stored = pydicom.dcmread(file)
    assert len(np.unique(stored.pixel_array[20:70, 10:470])) == 1
    assert np.array_equal(stored.pixel_array[80:], drawn()[80:])
    assert (stored.SOPInstanceUID, stored.BurnedInAnnotation) == (image.sop_instance_uid, "NO")
    with pytest.raises(ObjectMissing):
        storage().size(old_key)
    assert (image.hold, image.text_boxes) == (Hold.NONE, [])
    assert list(policies.visible_instances(manager)) == [image]
    sealed = sealing.seal(image.series_id)
    assert sealed.frame_count == 1
    line = AuditRecord.objects.get(verb="image.blacked_out")
    assert (line.actor, line.object_id, line.facts["boxes"]) == (manager, image.pk, 1)


def test_one_decision_for_a_series_leaves_images_with_text_elsewhere(images, manager):
    answer = decide(signed_in(manager), images[0], "black_out", [NAME_BOX], within="series")
    assert holds() == [Hold.PAINTING, Hold.PAINTING, Hold.TEXT]
    page = signed_in(manager).get(answer.headers["Location"]).content.decode()
    assert address(images[2], "picture/") in page
    quarantine.paint(images[0].series_id)
    assert holds() == [Hold.NONE, Hold.NONE, Hold.TEXT]


def test_release_shows_the_image_as_it_is(images, manager):
    key = images[1].object_key
    decide(signed_in(manager), images[1], "release")
    assert holds() == [Hold.TEXT, Hold.NONE, Hold.TEXT]
    images[1].refresh_from_db()
    assert images[1].object_key == key
    assert ProcrastinateJob.objects.filter(task_name="atlas.seal_series", status="todo").exists()


def test_released_in_a_dataset_that_claims_clean_pixels_the_header_says_so(images, manager, dataset):
    dataset.deidentification_options = ["clean_pixel_data"]
    dataset.save()
    decide(signed_in(manager), images[1], "release")
    quarantine.paint(images[1].series_id)
    images[1].refresh_from_db()
    with open_instance(images[1]) as file:
        stored = pydicom.dcmread(file)
    assert stored.DeidentificationMethodCodeSequence[-1].CodeValue == "113101"
    assert holds() == [Hold.TEXT, Hold.NONE, Hold.TEXT]


def test_kept_images_leave_the_list_and_stay_hidden(images, manager):
    client = signed_in(manager)
    decide(client, images[0], "keep")
    assert holds() == [Hold.KEPT, Hold.TEXT, Hold.TEXT]
    assert "1 kept back" in client.get("/datasets/chest-ct/quarantine/?show=kept").content.decode()
    assert not policies.visible_instances(manager).exists()
    decide(client, images[0], "release")
    assert holds() == [Hold.NONE, Hold.TEXT, Hold.TEXT]


def test_a_step_to_another_frame_stays_with_its_image(take, manager):
    take([ultrasound(np.stack([drawn(), drawn("")]))], is_searched=False)
    Instance.objects.update(hold=Hold.KEPT)
    image = Instance.objects.select_related("series").get()
    page = signed_in(manager).get("/datasets/chest-ct/quarantine/?show=kept").content.decode()
    assert f'href="{address(image)}?frame=2"' in page
    assert "frame 2 of 2" in signed_in(manager).get(address(image) + "?frame=2").content.decode()


def test_an_image_that_all_could_see_is_taken_back_at_once(chest, manager):
    image = chest.instances.order_by("pk").first()
    number, pack = chest.generation, chest.pack_key
    decide(signed_in(manager), image, "hold")
    chest.refresh_from_db()
    assert not Generation.objects.filter(series=chest, number=number).exists()
    assert chest.pack_key != pack
    with pytest.raises(ObjectMissing):
        storage().size(pack)
    image.refresh_from_db()
    with open_instance(image) as file:  # still here for those who decide
        assert pydicom.dcmread(file).SOPInstanceUID == image.sop_instance_uid
    manifest = generations.read_manifest(chest.manifest_key)
    assert image.sop_instance_uid not in str(manifest)
    names = zipfile.ZipFile(
        io.BytesIO(storage().read_range(chest.pack_key, 0, storage().size(chest.pack_key)))
    )
    assert len(names.namelist()) == 4


def test_taken_back_blacked_out_and_shown_again_it_is_a_new_generation(chest, manager):
    image = chest.instances.order_by("pk").first()
    before = chest.generation
    client = signed_in(manager)
    decide(client, image, "hold")
    decide(client, image, "black_out", [Box(0, 1, 1, 3, 2)])
    quarantine.paint(chest.pk)
    sealed = sealing.seal(chest.pk)
    assert sealed.frame_count == 5
    assert sealed.generation > before
    image.refresh_from_db()
    with open_instance(image) as file:
        assert len(np.unique(pydicom.dcmread(file).pixel_array[1:3, 1:4])) == 1


def test_a_decision_about_an_image_that_changed_meanwhile_is_not_taken(images, manager):
    client = signed_in(manager)
    answer = client.post(address(images[0], "decide/"), {"action": "release", "seen": "0" * 20})
    assert answer.headers["Location"] == address(images[0])
    assert "has changed since" in client.get(address(images[0])).content.decode()
    assert holds() == [Hold.TEXT] * 3


@pytest.mark.parametrize(
    ("boxes", "why"),
    [
        ([], "Draw a box"),
        ([Box(0, 470, 0, 20, 10), Box(0, 480, 0, 20, 10)], "outside of the image"),
        ([Box(2, 0, 0, 5, 5)], "outside of the image"),
        ([Box(0, at % 400, 0, 5, 5) for at in range(401)], "at most 400"),
    ],
)
def test_boxes_that_cannot_be_are_refused_in_words(images, manager, boxes, why):
    client = signed_in(manager)
    answer = decide(client, images[0], "black_out", boxes)
    assert why in client.get(answer.headers["Location"]).content.decode()
    assert holds() == [Hold.TEXT] * 3


@pytest.mark.parametrize(
    "sent", ["", "{", "[[]]", '[{"frame": 0}]', "[1]", "null", '[{"frame":"x"}]', "[" * 5000]
)
def test_boxes_that_are_no_boxes_are_refused_in_words(images, manager, sent):
    client = signed_in(manager)
    data = {"action": "black_out", "seen": images[0].stored_sha256[:20], "boxes": sent}
    answer = client.post(address(images[0], "decide/"), data)
    assert answer.status_code == 302
    assert "could not be read" in client.get(answer.headers["Location"]).content.decode()


def test_an_unknown_action_is_a_bad_request(images, manager):
    assert decide(signed_in(manager), images[0], "destroy").status_code == 400


def test_what_cannot_be_painted_goes_back_to_those_that_wait(images, manager):
    image = images[0]
    decide(signed_in(manager), image, "black_out", [NAME_BOX])
    Instance.objects.filter(pk=image.pk).update(text_boxes=[Box(0, 900, 0, 5, 5).as_json()])
    assert quarantine.paint(image.series_id) == 0
    assert holds()[0] == Hold.UNCHECKED


def test_painting_twice_or_after_somebody_took_it_back_changes_nothing(images, manager):
    image = images[0]
    decide(signed_in(manager), image, "black_out", [NAME_BOX])
    decide(signed_in(manager), image, "hold")
    assert quarantine.paint(image.series_id) == 0
    assert holds()[0] == Hold.KEPT
    image.refresh_from_db()
    assert storage().size(image.object_key) == image.size


def test_paintings_whose_job_was_given_up_are_enqueued_again(images, manager):
    decide(signed_in(manager), images[0], "black_out", [NAME_BOX])
    ProcrastinateJob.objects.all().update(status="failed")
    quarantine.paint_what_waits(0)
    assert ProcrastinateJob.objects.filter(task_name="atlas.paint_images", status="todo").count() == 1


@pytest.mark.parametrize(
    ("who", "status"), [("manager", 200), ("viewer", 403), ("stranger", 404), ("other", 404), ("nobody", 302)]
)
def test_held_images_are_for_those_who_take_images_in(images, dataset, manager, stranger, who, status):
    """A manager of another dataset is a stranger here; a member without the right is told so."""
    other = type(dataset).objects.create(
        organisation=dataset.organisation, name="Other", slug="other", deidentification="already_done"
    )
    keeper, creator = person("rui"), person("nina")
    permissions.grant(user=keeper, role="data_manager", scope=other)
    permissions.grant(user=creator, role="project_creator", scope=dataset.organisation)
    client = {
        "manager": lambda: signed_in(manager),
        "viewer": lambda: signed_in(creator),
        "stranger": lambda: signed_in(stranger),
        "other": lambda: signed_in(keeper),
        "nobody": Client,
    }[who]()
    for path in ("/datasets/chest-ct/quarantine/", address(images[0]), address(images[0], "picture/")):
        assert client.get(path).status_code == status
    assert decide(client, images[0], "release").status_code == (302 if status == 200 else status)
    assert (holds()[0] == Hold.NONE) == (who == "manager")


def test_an_image_is_found_only_below_its_own_dataset(images, dataset, manager):
    other = type(dataset).objects.create(
        organisation=dataset.organisation, name="Other", slug="other", deidentification="already_done"
    )
    permissions.grant(user=manager, role="data_manager", scope=other)
    path = address(images[0]).replace("chest-ct", "other")
    assert signed_in(manager).get(path).status_code == 404
    assert signed_in(manager).get(address(images[0])[:-3] + "/").status_code == 404


def test_the_datasets_page_tells_those_who_look_after_it(images, manager, dataset):
    page = signed_in(manager).get("/datasets/chest-ct/").content.decode()
    assert "3\N{NO-BREAK SPACE}images wait in quarantine" in page
    Instance.objects.update(hold="")
    assert "quarantine" not in signed_in(manager).get("/datasets/chest-ct/").content.decode().replace(
        "quarantine-note", ""
    )


def test_a_thousand_held_images_cost_as_many_queries_as_three(
    images, manager, dataset, django_assert_max_num_queries
):
    client = signed_in(manager)
    template = images[0]
    Instance.objects.bulk_create(
        Instance(
            organisation=dataset.organisation,
            series=template.series,
            sop_instance_uid=f"1.2.3.{at}",
            sop_class_uid=template.sop_class_uid,
            transfer_syntax_uid=template.transfer_syntax_uid,
            instance_number=10 + at,
            number_of_frames=1,
            original_sha256=f"{at:064x}",
            stored_sha256=f"{at:064x}",
            size=1,
            object_key=f"aaa/{at}",
            rows=240,
            columns=480,
            hold=Hold.TEXT,
        )
        for at in range(1000)
    )
    client.get("/datasets/chest-ct/quarantine/")
    with django_assert_max_num_queries(25):
        started = time.monotonic()
        page = client.get("/datasets/chest-ct/quarantine/").content.decode()
    assert time.monotonic() - started < 5
    assert page.count("<li>") < 80


def test_series_of_slices_never_wait(take, manager):
    take(series([(0, 0, 0)]), is_searched=False)
    page = signed_in(manager).get("/datasets/chest-ct/quarantine/").content.decode()
    assert "Nothing waits for you" in page
