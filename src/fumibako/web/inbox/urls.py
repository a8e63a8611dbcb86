"""Addresses of メール受信."""

from __future__ import annotations

from django.urls import path

from . import acting, letters, opening, presence, writing

app_name = "inbox"
urlpatterns = [
    path("", opening.index, name="index"),
    path("list/", opening.part, name="list"),
    path("fetch/", acting.fetch, name="fetch"),
    path("replies/<int:job_number>/take-back/", writing.take_back, name="take_back"),
    path("<int:number>/", opening.mail, name="mail"),
    path("<int:number>/body/", letters.body, name="body"),
    path("<int:number>/files/<int:position>/", letters.attachment, name="attachment"),
    path("<int:number>/mail.eml", letters.eml, name="eml"),
    path("<int:number>/presence/", presence.presence, name="presence"),
    path("<int:number>/reply/", writing.reply, name="reply"),
    path("<int:number>/forward/", writing.forward, name="forward"),
    path("<int:number>/state/", acting.work, name="state"),
    path("<int:number>/assign/", acting.assign, name="assign"),
    path("<int:number>/unread/", acting.unread, name="unread"),
    path("<int:number>/note/", acting.note, name="note"),
    path("<int:number>/charset/", acting.charset, name="charset"),
    path("<int:number>/answer/", acting.answer, name="answer"),
    path("<int:number>/link/", acting.link, name="link"),
    path("<int:number>/unlink/", acting.unlink, name="unlink"),
    path("<int:number>/delete/", acting.delete, name="delete"),
]
