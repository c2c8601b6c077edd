"""Forms about accounts: they check shape, services check rights and rules."""

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_countries import countries

from accounts.models import ApiToken, User
from accounts.roles import Role
from accounts.services.tokens import DAYS_AT_MOST


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": _("No account has this user name and password. Mind capital letters."),
        "inactive": _("This account is closed."),
    }

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "User name"


class NewPersonForm(forms.Form):
    """What someone who was invited tells about themselves."""

    first_name = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autocomplete": "given-name"}))
    last_name = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autocomplete": "family-name"}))
    username = forms.CharField(
        label="User name",
        max_length=150,
        help_text="For signing in: letters, digits and . _ + - @",
        widget=forms.TextInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        strip=False,
        help_text=password_validators_help_text_html(),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password_again = forms.CharField(
        label="The same password again",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict:
        facts = super().clean() or {}
        if "password" in facts and facts.get("password_again", facts["password"]) != facts["password"]:
            self.add_error("password_again", _("The two passwords differ."))
        return facts


def _said(choices: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """In the reader's language."""
    return [(value, gettext(words)) for value, words in choices]


class AccountForm(forms.ModelForm):
    language = forms.ChoiceField(
        choices=[("", _("As the browser asks")), *settings.LANGUAGES], required=False
    )
    theme = forms.ChoiceField(
        label="Light or dark",
        choices=lambda: _said(User.Theme.choices),
        widget=forms.RadioSelect,
        help_text="The reading room is always dark.",
    )

    class Meta:
        model = User
        fields = ("first_name", "last_name", "theme", "language")


class TokenForm(forms.Form):
    name = forms.CharField(max_length=80, help_text="What will use it: a script, a machine.")
    scope = forms.ChoiceField(
        label="What it opens",
        choices=lambda: _said(ApiToken.Scope.choices),
        initial=ApiToken.Scope.RELEASES,
        help_text="Never more than you may yourself.",
    )
    project = forms.SlugField(
        label="Only the releases of project",
        max_length=60,
        required=False,
        help_text="The last part of its address. Empty: of all your projects.",
    )
    days = forms.IntegerField(label="Days until it ends", min_value=1, max_value=DAYS_AT_MOST, initial=30)


class OrganisationForm(forms.Form):
    name = forms.CharField(max_length=200, help_text="As it calls itself. The catalogue shows it to anyone.")
    country = forms.ChoiceField(choices=lambda: [("", _("Choose a country")), *countries])


class InviteForm(forms.Form):
    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField()

    def __init__(self, *args, roles: list[Role], **kwargs) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["role"]
        assert isinstance(choice, forms.ChoiceField)  # noqa: S101 tells the type checker
        choice.choices = [(role.key, gettext(role.title)) for role in roles]
        choice.initial = roles[-1].key if roles else None  # the one that gives least
