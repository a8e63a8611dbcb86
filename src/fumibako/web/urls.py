"""Every address of the product. A screen's folder brings its own urls.py; its owner adds one line here."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("fumibako.web.home.urls")),
    path("", include("fumibako.web.login.urls")),
    path("", include("fumibako.web.people.urls")),
    path("bulk/", include("fumibako.web.bulk_send.urls")),
    path("inbox/", include("fumibako.web.inbox.urls")),
    path("sent/", include("fumibako.web.history.urls")),
    path("bounces/", include("fumibako.web.bounces.urls")),
    path("contacts/", include("fumibako.web.contacts.urls")),
    path("followups/", include("fumibako.web.followups.urls")),
    path("accounts/", include("fumibako.web.accounts.urls")),
    path("", include("fumibako.web.codes.urls")),
    path("", include("fumibako.web.office.urls")),
    path("", include("fumibako.web.status.urls")),
]

handler400 = "fumibako.web.errors.bad_request"
handler403 = "fumibako.web.errors.permission_denied"
handler404 = "fumibako.web.errors.not_found"
handler500 = "fumibako.web.errors.server_error"
