"""A CSV that the browser keeps."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from django.http import StreamingHttpResponse


def csv_file(lines: Iterator[bytes], name: str) -> StreamingHttpResponse:
    """Stream `lines` as a file called `name` (RFC 6266, RFC 8187)."""
    answer = StreamingHttpResponse(lines, content_type="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return answer
