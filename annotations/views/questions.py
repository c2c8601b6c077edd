"""Questions of a schema as fields of a form: read from one, and laid out for one."""

from typing import Any

from django.http import QueryDict

from annotations.reading.questions import QUESTIONS_MAX

BLANK: dict[str, Any] = {
    "key": "",
    "text": "",
    "of": "case",
    "only": [],
    "type": "choice",
    "options": [],
    "unit": "",
    "least": None,
    "most": None,
    "required": False,
    "when": None,
}


def from_form(form: QueryDict) -> list[dict[str, Any]]:
    """Those of the fields `q0-text`, `q0-of` …, without judging them. One without a text is left out."""
    count = form.get("questions", "")
    found = []
    for place in range(min(int(count), QUESTIONS_MAX + 1) if count.isdecimal() and len(count) < 6 else 0):
        field = lambda name, place=place: form.get(f"q{place}-{name}", "").strip()
        if field("removed") or not (field("text") or field("key")):
            continue
        of = field("of")
        modalities = [one.strip() for one in field("modalities").replace(",", " ").split()]
        found.append(
            {
                "key": field("key"),
                "text": field("text"),
                "of": of,
                "only": form.getlist(f"q{place}-labels") if of == "annotation" else modalities,
                "type": field("type"),
                "options": options_of(field("options")),
                "unit": field("unit"),
                "least": field("least") or None,
                "most": field("most") or None,
                "required": bool(field("required")),
                "when": {"question": field("when"), "is": field("when-is").split(",")}
                if field("when")
                else None,
            }
        )
    return found


def options_of(text: str) -> list[dict[str, Any]]:
    """One a line: its name, for coded terms followed by value and scheme, parted by “|”."""
    options = []
    for line in text.splitlines():
        name, value, scheme = (part.strip() for part in (*line.split("|"), "", "")[:3])
        if name:
            options.append({"name": name, "code": {"value": value, "scheme": scheme}})
    return options


def for_form(questions: list[dict[str, Any]], others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the texts of the fields. `others`: questions of the present version, to name in `when`."""
    names = {
        option["key"]: option["name"]
        for question in others
        for option in question["options"]
        if "key" in option
    }
    return [
        question
        | {
            "options_text": "\n".join(_line(option) for option in question["options"]),
            "modalities": ", ".join(question["only"]) if question["of"] == "series" else "",
            "when_is": ", ".join(names.get(one, one) for one in (question["when"] or {}).get("is", ())),
        }
        for question in questions
    ]


def _line(option: dict[str, Any]) -> str:
    code = option.get("code") or {}
    if not code.get("value") and not code.get("scheme"):
        return str(option["name"])
    return " | ".join((option["name"], code.get("value", ""), code.get("scheme", "")))
