from django.urls import path

from accounts.views import account, doors, invitations, members

urlpatterns = [
    path("sign-in/", doors.SignIn.as_view(), name="sign-in"),
    path("sign-out/", doors.SignOut.as_view(), name="sign-out"),
    path("password-reset/", doors.PasswordReset.as_view(), name="password-reset"),
    path("password-reset/sent/", doors.PasswordResetSent.as_view(), name="password-reset-sent"),
    path("password-reset/<uidb64>/<token>/", doors.NewPassword.as_view(), name="password_reset_confirm"),
    path("invitations/<str:secret>/", invitations.invitation, name="invitation"),
    path("account/", account.account, name="account"),
    path("account/password/", doors.ChangePassword.as_view(), name="change-password"),
    path("account/tokens/", account.make_token, name="make-token"),
    path("account/tokens/<str:public_id>/revoke/", account.revoke_token, name="revoke-token"),
    path("administrators/", members.administrators, name="administrators"),
]
