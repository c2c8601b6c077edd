"""The ways in and out: sign-in, sign-out, password reset. Counted, so that nobody tries many passwords."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import views as auth
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext

from accounts import audit, revocation
from accounts.forms import SignInForm
from accounts.models import User
from accounts.requests import SignedInRequest
from accounts.services import people
from accounts.throttles import AddressThrottle, SignInThrottle, seconds_to_wait


class SignIn(auth.LoginView):
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        wait_seconds = seconds_to_wait(request, SignInThrottle, AddressThrottle)
        if wait_seconds is None:
            return super().post(request, *args, **kwargs)
        context = self.get_context_data(form=self.authentication_form(request), wait_seconds=wait_seconds)
        return self.render_to_response(context, status=429, headers={"Retry-After": str(wait_seconds)})


class SignOut(auth.LogoutView):
    http_method_names = ["post", "options"]


class PasswordReset(auth.PasswordResetView):
    template_name = "accounts/password_reset.html"
    email_template_name = "accounts/letters/password_reset.txt"
    subject_template_name = "accounts/letters/password_reset_subject.txt"
    success_url = reverse_lazy("password-reset-sent")

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        wait_seconds = seconds_to_wait(request, AddressThrottle)
        if wait_seconds is None:
            return super().post(request, *args, **kwargs)
        context = self.get_context_data(wait_seconds=wait_seconds)
        return self.render_to_response(context, status=429, headers={"Retry-After": str(wait_seconds)})


class PasswordResetSent(auth.PasswordResetDoneView):
    template_name = "accounts/password_reset_sent.html"


class NewPassword(auth.PasswordResetConfirmView):
    template_name = "accounts/new_password.html"
    success_url = reverse_lazy("sign-in")

    def form_valid(self, form) -> HttpResponse:
        with transaction.atomic():
            answer = super().form_valid(form)
            ended = people.password_was_reset(cast(User, self.user))
        messages.success(self.request, gettext("Your new password is set. Sign in with it."))
        if ended.tokens:
            said = gettext(
                "All your tokens have ended: whoever had the old password may have made them. Make new ones "
                "on your account page for the programs that work in your name."
            )
            messages.warning(self.request, said)
        if ended.connections:
            said = gettext(
                "Your account is no longer connected with another node: whoever had the old password may "
                "have made that connection. If it was you, connect again on your account page."
            )
            messages.warning(self.request, said)
        return answer


class ChangePassword(auth.PasswordChangeView):
    template_name = "accounts/change_password.html"
    success_url = reverse_lazy("account")

    def form_valid(self, form) -> HttpResponse:
        answer = super().form_valid(form)
        person = cast(SignedInRequest, self.request).user
        audit.record(person, "password.changed", person)
        revocation.announce()
        messages.success(self.request, gettext("Your password is changed. Other browsers are signed out."))
        return answer
