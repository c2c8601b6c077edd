"""What another node may send about access: shapes, sizes and values, before any of it is used."""

from typing import Any

from rest_framework import serializers as s

from network.access import asking, cart, documents, terms
from network.access.states import NOT_THERE, State
from network.federation.messages import Refused
from network.models.access import Mode

PARTS_MAX = 50


class Text(s.CharField):
    """Text without signs that control printers or hide others."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("allow_blank", True)
        super().__init__(**kwargs)

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            raise s.ValidationError("Not a string.")
        return super().to_internal_value("".join(c for c in data if c.isprintable() or c in "\n\t"))


class _Id(s.RegexField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[0-9a-zA-Z-]{1,40}$", **kwargs)

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            raise s.ValidationError("Not a string.")
        return super().to_internal_value(data)


class _Item(s.Serializer):
    dataset = s.SlugField(max_length=60)
    mode = s.ChoiceField(Mode.choices)


class _Part(s.Serializer):
    organisation = s.SlugField(max_length=60)
    items = s.ListField(child=_Item(), min_length=1, max_length=cart.DATASETS_MAX)


class _Document(s.Serializer):
    id = _Id()
    name = Text(max_length=300)
    size = s.IntegerField(min_value=1, max_value=documents.SIZE_MAX)
    sha256 = s.RegexField(r"^[0-9a-f]{64}$")


class RequestBody(s.Serializer):
    request = _Id()
    person = s.DictField(child=Text(max_length=300), allow_empty=False)
    affiliation = Text(max_length=200)
    title = Text(max_length=cart.TITLE_LENGTH_MAX, allow_blank=False)
    purpose = Text(max_length=cart.PURPOSE_LENGTH_MAX, allow_blank=False)
    use_terms = s.ListField(child=s.ChoiceField(sorted(terms.BY_KEY)), max_length=len(terms.BY_KEY))
    documents = s.ListField(child=_Document(), max_length=documents.DOCUMENTS_MAX)
    parts = s.ListField(child=_Part(), min_length=1, max_length=PARTS_MAX)


class DocumentBody(s.Serializer):
    request = _Id()
    id = _Id()
    content = s.CharField(max_length=documents.SIZE_MAX * 4 // 3 + 8)


class NamedBody(s.Serializer):
    """A part of a request."""

    request = _Id()
    organisation = s.SlugField(max_length=60)


class MessageBody(NamedBody):
    id = _Id()
    text = Text(max_length=asking.TEXT_LENGTH_MAX, allow_blank=False)


class AgreedBody(NamedBody):
    sha256 = s.RegexField(r"^[0-9a-f]{64}$")


class WithdrawnBody(s.Serializer):
    request = _Id()


class _ItemState(s.Serializer):
    dataset = s.SlugField(max_length=60)
    mode = s.ChoiceField(Mode.choices, allow_blank=True)
    ends_on = s.DateField(allow_null=True)
    withdrawn = s.BooleanField()


class StateBody(NamedBody):
    state = s.ChoiceField([state for state in State.values if state not in (State.DRAFT, *NOT_THERE)])
    conditions = Text(max_length=asking.TEXT_LENGTH_MAX)
    agreement = Text(max_length=asking.TEXT_LENGTH_MAX)
    reason = Text(max_length=asking.TEXT_LENGTH_MAX)
    items = s.ListField(child=_ItemState(), max_length=cart.DATASETS_MAX)


def checked(kind: type[s.Serializer], body: dict[str, Any]) -> dict[str, Any]:
    """What the body says, in our types. Raises Refused, naming the first field that is wrong."""
    form = kind(data=body)
    if not form.is_valid():
        field = str(next(iter(form.errors)))[:40]
        raise Refused(f"The message can't be read: {field} is missing, too long or not of its kind.")
    return form.validated_data
