from __future__ import annotations

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("setup/", views.setup, name="setup"),
    path("sign-in/", views.login, name="login"),
    path("sign-out/", views.logout, name="logout"),
    path("sign-up/", views.sign_up, name="sign-up"),
    path("invitation/<str:secret>/", views.invitation, name="invitation"),
    path("password/forgotten/", views.forgotten, name="forgotten"),
    path("password/<str:uidb64>/<str:token>/", views.reset, name="reset"),
    path("account/", views.account, name="account"),
    path("settings/", views.preferences, name="settings"),
    path("account/password/", views.password, name="password"),
    path("account/email/", views.email, name="email"),
    path("account/sign-out-everywhere/", views.sign_out_everywhere, name="sign-out-everywhere"),
    path("account/tokens/", views.make_token, name="make-token"),
    path("account/tokens/<int:pk>/revoke/", views.revoke_token, name="revoke-token"),
    path("account/invitations/", views.invite, name="invite"),
    path("account/invitations/<int:pk>/withdraw/", views.withdraw, name="withdraw"),
]
