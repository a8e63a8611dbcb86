"""What leaves the mail by an address of its own: the frame with its HTML, one file of it, and the whole as .eml."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from fumibako.apps.inbox.models import ReceivedMail
from fumibako.mime.sanitize import SafeHtml
from fumibako.web.operators import operator_of

from . import frame
from .files import OCTETS, disposition, download_name, safe_type
from .pane import mail_or_404
from .raw import file_of, html_of, pictures_of, raw_of

DOWNLOAD_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Download-Options": "noopen",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@require_safe
def body(request: HttpRequest, number: int) -> HttpResponse:
    """The sender's HTML, harmless, in a document that could not act if it were not."""
    mail = mail_or_404(operator_of(request), number)
    if mail.reading != ReceivedMail.Reading.READ:
        return frame.answer(frame.framed(SafeHtml("")))
    return frame.answer(frame.body_page(html_of(mail), pictures_of(mail).get))


@require_safe
def attachment(request: HttpRequest, number: int, position: int) -> HttpResponse:
    """One file, to be saved and never shown."""
    mail = mail_or_404(operator_of(request), number)
    row = get_object_or_404(mail.attachments, position=position, is_saved=True)
    name = download_name(row.name, f"添付{position + 1}")
    return _saved(file_of(mail, position), safe_type(row.content_type, row.name), name)


@require_safe
def eml(request: HttpRequest, number: int) -> HttpResponse:
    """The mail as it came."""
    mail = mail_or_404(operator_of(request), number)
    name = download_name(f"{mail.number:08d}_{mail.subject[:60]}.eml", f"{mail.number:08d}.eml")
    return _saved(raw_of(mail), OCTETS, name)


def _saved(content: bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response.headers["Content-Disposition"] = disposition(name)
    for header, value in DOWNLOAD_HEADERS.items():
        response.headers[header] = value
    return response
