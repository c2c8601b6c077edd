"""Forms in the house style: settings name this renderer, so every form of every app comes out alike."""

from pathlib import Path
from typing import Any

import django.forms
from django.conf import settings
from django.forms.renderers import DjangoTemplates
from django.utils.functional import cached_property


class HouseRenderer(DjangoTemplates):
    form_template_name = "components/form.html"
    field_template_name = "components/field.html"

    @cached_property
    def engine(self) -> Any:
        """Our templates first, then Django's own for the widgets."""
        return self.backend(
            {
                "APP_DIRS": False,
                "DIRS": [settings.BASE_DIR / "templates", Path(django.forms.__file__).parent / "templates"],
                "NAME": "forms",
                "OPTIONS": {"builtins": ["django.templatetags.i18n", "network.templatetags.house"]},
            }
        )
