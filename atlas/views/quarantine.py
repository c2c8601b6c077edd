"""Quarantine: held images of a dataset, looked through one by one by those who take its images in."""

import json
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import SignedInRequest
from atlas.access import record_viewing
from atlas.archive import held_pictures, quarantine
from atlas.archive.quarantine import Hold, NotPossible
from atlas.dicom.pixel_text import Box
from atlas.models import Dataset, Instance

LISTED_AROUND = 30
"""Images in the list before and behind the chosen one."""
BOXES_BYTES_MAX = 200_000
TABS = {"waiting": quarantine.WAITING, "kept": (Hold.KEPT,)}
FRAME_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where the chosen image stands in its list."""

    rows: list[Instance]
    number: int
    total: int
    before: Instance | None
    after: Instance | None


@login_required
@require_safe
def quarantined(request: SignedInRequest, slug: str) -> HttpResponse:
    """The list with its first image, or why there is none."""
    dataset = quarantine.dataset_or_404(request.user, slug)
    tab = _tab(request)
    chosen = _in_tab(dataset, tab).first()
    if chosen is None and tab == "kept":
        tab = "waiting"
        chosen = _in_tab(dataset, tab).first()
    return _page(request, dataset, chosen, tab)


@login_required
@require_safe
def quarantined_image(request: SignedInRequest, slug: str, series: str, image: str) -> HttpResponse:
    dataset = quarantine.dataset_or_404(request.user, slug)
    chosen = quarantine.image_or_404(dataset, series, image)
    return _page(request, dataset, chosen, "kept" if chosen.hold == Hold.KEPT else "waiting")


@login_required
@require_safe
def quarantined_picture(request: SignedInRequest, slug: str, series: str, image: str) -> HttpResponse:
    """One frame as a picture; 409 with the reason where it can't be shown."""
    dataset = quarantine.dataset_or_404(request.user, slug)
    chosen = quarantine.image_or_404(dataset, series, image)
    record_viewing(request.user, chosen.series)
    try:
        content = held_pictures.picture_of(
            chosen, frame_number=_frame_number(request), is_even="even" in request.GET
        )
    except held_pictures.NoPicture as error:
        return HttpResponse(str(error), status=409, content_type="text/plain; charset=utf-8")
    return HttpResponse(content, content_type="image/webp", headers={"Cache-Control": "private, no-store"})


@login_required
@require_POST
def decide(request: SignedInRequest, slug: str, series: str, image: str) -> HttpResponse:
    """Black out, release, keep or hold; then on to the next image."""
    dataset = quarantine.dataset_or_404(request.user, slug)
    chosen = quarantine.image_or_404(dataset, series, image)
    if request.POST.get("seen") != chosen.stored_sha256[: quarantine.ADDRESS_LENGTH]:
        messages.warning(
            request, gettext("The image has changed since you opened this page. Look at it again.")
        )
        return redirect("quarantined-image", slug, series, image)
    after = _after(dataset, chosen)
    try:
        told = _do(request, chosen)
    except NotPossible as error:
        messages.error(request, str(error))
        return redirect("quarantined-image", slug, series, image)
    if told is None:
        return HttpResponseBadRequest("Say what is to be done: black_out, release, keep or hold.")
    if told:
        messages.success(request, told)
    if request.POST["action"] == "hold" or after is None:
        return redirect("quarantine", slug)
    return _to(dataset, after)


def _do(request: SignedInRequest, image: Instance) -> str | None:
    """Do what was asked; what to tell about it ("" for nothing), None for an action that isn't known."""
    action, by = request.POST.get("action"), request.user
    if action == "release":
        quarantine.release(by=by, instance=image)
    elif action == "keep":
        quarantine.keep(by=by, instance=image)
    elif action == "hold":
        quarantine.hold(by=by, instance=image)
        return "The image is kept back again. Nobody else can see it any more."
    elif action == "black_out":
        boxes, within = _boxes(request), request.POST.get("within")
        if within not in ("series", "dataset"):
            quarantine.black_out(by=by, instance=image, boxes=boxes)
            return ""
        done, others = quarantine.black_out_alike(by=by, instance=image, boxes=boxes, within=within)
        told = f"{done} {'image is' if done == 1 else 'images are'} being blacked out."
        if others:
            told += f" {others} of the same size {'has' if others == 1 else 'have'} text elsewhere, and wait."
        return told
    else:
        return None
    return ""


def _boxes(request: HttpRequest) -> list[Box]:
    """The boxes that a page sends as JSON. Raises NotPossible."""
    sent = request.POST.get("boxes", "")
    try:
        if len(sent) > BOXES_BYTES_MAX:
            raise ValueError
        found = json.loads(sent)
        return [
            Box(*(int(one[name]) for name in ("frame", "column", "row", "columns", "rows"))) for one in found
        ]
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise NotPossible("The boxes could not be read. Load the page again and draw them anew.") from error


# The page --------------------------------------------------------------------------------------


def _page(request: SignedInRequest, dataset: Dataset, chosen: Instance | None, tab: str) -> HttpResponse:
    counts = quarantine.counts(dataset)
    context: dict[str, Any] = {"dataset": dataset, "chosen": chosen, "tab": tab, "counts": counts}
    if chosen is not None:
        context |= _about(request, dataset, chosen, tab)
    return render(request, "datasets/quarantine.html", context)


def _about(request: SignedInRequest, dataset: Dataset, chosen: Instance, tab: str) -> dict[str, Any]:
    number = min(_frame_number(request), chosen.number_of_frames)
    boxes = quarantine.boxes_of(chosen)
    alike = quarantine.images_of(dataset).filter(hold=Hold.TEXT, rows=chosen.rows, columns=chosen.columns)
    return {
        "place": _place(dataset, chosen, tab),
        "address": quarantine.address_of(chosen),
        "seen": chosen.stored_sha256[: quarantine.ADDRESS_LENGTH],
        "frame_number": number,
        "boxes": boxes,
        "boxes_json": [box.as_json() for box in boxes],
        "boxes_text": json.dumps([box.as_json() for box in boxes]),
        "alike_in_series": alike.filter(series=chosen.series).exclude(pk=chosen.pk).count() + 1,
        "alike_in_dataset": alike.exclude(pk=chosen.pk).count() + 1,
        "may_decide": chosen.hold in quarantine.DECIDABLE,
    }


def _tab(request: HttpRequest) -> str:
    return "kept" if request.GET.get("show") == "kept" else "waiting"


def _in_tab(dataset: Dataset, tab: str) -> QuerySet[Instance]:
    return quarantine.images_of(dataset).filter(hold__in=TABS[tab])


def _place(dataset: Dataset, chosen: Instance, tab: str) -> Place:
    """The part of the list around the chosen image; one that is in no list stands first."""
    keys = list(_in_tab(dataset, tab).values_list("pk", flat=True))
    at = keys.index(chosen.pk) if chosen.pk in keys else -1
    first = max(0, at - LISTED_AROUND)
    around = keys[first : max(at, 0) + LISTED_AROUND + 1]
    rows = list(quarantine.images_of(dataset).filter(pk__in=around))
    for row in rows:
        row.address = quarantine.address_of(row)  # type: ignore[attr-defined]
    by_key = {row.pk: row for row in rows}
    before = by_key[keys[at - 1]] if at > 0 else None
    after = by_key[keys[at + 1]] if at + 1 < len(keys) else None
    return Place(rows, at + 1, len(keys), before, after)


def _after(dataset: Dataset, chosen: Instance) -> Instance | None:
    tab = "kept" if chosen.hold == Hold.KEPT else "waiting"
    place = _place(dataset, chosen, tab)
    return place.after or place.before


def _to(dataset: Dataset, image: Instance) -> HttpResponseRedirect:
    """To an image, or, where that was decided about meanwhile, to the list."""
    if not quarantine.images_of(dataset).filter(pk=image.pk, hold__in=quarantine.DECIDABLE).exists():
        return redirect("quarantine", dataset.slug)
    address = reverse(
        "quarantined-image", args=[dataset.slug, image.series.public_id, quarantine.address_of(image)]
    )
    return redirect(address)


def _frame_number(request: HttpRequest) -> int:
    sent = request.GET.get("frame", "1")
    return min(max(int(sent), 1), FRAME_MAX) if sent.isascii() and sent.isdigit() and len(sent) < 7 else 1
