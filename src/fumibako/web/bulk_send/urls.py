"""Addresses of メール一括送信."""

from django.urls import path

from . import check, index, letter, progress, recipients, sender, settle, steering

app_name = "bulk_send"
urlpatterns = [
    path("", index.index, name="index"),
    path("start", index.start, name="start"),
    path("<int:number>/", index.opened, name="opened"),
    path("<int:number>/from", sender.sender, name="from"),
    path("<int:number>/to", recipients.recipients, name="to"),
    path("<int:number>/to/change", recipients.change_list, name="change_list"),
    path("<int:number>/body", letter.letter, name="body"),
    path("<int:number>/body/preview", letter.preview, name="preview"),
    path("<int:number>/body/files", letter.files, name="files"),
    path("<int:number>/test", letter.send_test, name="test"),
    path("<int:number>/check", check.check, name="check"),
    path("<int:number>/check/confirm", check.confirm, name="confirm"),
    path("<int:number>/check/excluded.csv", check.excluded, name="excluded"),
    path("<int:number>/run", progress.run, name="run"),
    path("<int:number>/run/live", progress.live, name="live"),
    path("<int:number>/run/notice", steering.notice, name="notice"),
    path("<int:number>/run/steer", steering.steer, name="steer"),
    path("<int:number>/run/settle/<int:seq>", settle.settle, name="settle"),
]
