"""Building blocks that templates share: icons, numbers, times, form rows, tags, page links."""

from __future__ import annotations

import functools
import re
from datetime import date, datetime
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField, CheckboxInput, RadioSelect
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from fumibako.web.paging import NEAR, PAGE
from fumibako.web.static_files import STATIC

register = template.Library()

WEEKDAYS = "月火水木金土日"
TAG_CLASSES = {"": "tag", "ok": "tag o", "warn": "tag w", "bad": "tag n", "key": "tag k"}


@functools.cache
def icon_names() -> frozenset[str]:
    """Names of the drawings in icons.svg."""
    return frozenset(re.findall(r'<symbol id="([a-z0-9-]+)"', (STATIC / "icons.svg").read_text()))


@register.simple_tag
@functools.lru_cache(maxsize=512)
def icon(name: str, extra: str = "") -> SafeString:
    """Draw one Lucide icon, hidden from screen readers: `{% icon "send" %}`. Raises for names that icons.svg lacks."""
    if name not in icon_names():
        raise template.TemplateSyntaxError(f"no icon {name!r}; add it to tools/icons.txt and run tools/make_sprite.py")
    classes = f"i {extra}".strip()
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, static("icons.svg"), name
    )


@register.simple_tag
def tag(text: str, kind: str = "", picture: str = "") -> SafeString:
    """Draw a small label with a word and an icon: `{% tag "使えます" "ok" "circle-check" %}` (ok, warn, bad, key)."""
    drawing = icon(picture) if picture else ""
    return format_html('<span class="{}">{}{}</span>', TAG_CLASSES[kind], drawing, text)


@register.filter
def number(value: int | float | None) -> str:
    """Write 1248 as 1,248; nothing stays nothing."""
    return "" if value is None else f"{value:,}"


@register.filter
def when(value: datetime | None) -> str:
    """Write a moment as 2026/11/24(火) 17:31 in the office's time zone."""
    return f"{day(value)} {clock(value)}" if value else ""


@register.filter
def day(value: datetime | date | None) -> str:
    """Write a day as 2026/11/24(火)."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return f"{value:%Y/%m/%d}({WEEKDAYS[value.weekday()]})"


@register.filter
def clock(value: datetime | None) -> str:
    """Write a moment as 17:31."""
    return f"{timezone.localtime(value):%H:%M}" if value else ""


@register.simple_tag
def field(bound: BoundField, **options: Any) -> SafeString:
    """Draw one form row, label left; see parts/field.html for the options."""
    return _row(bound, "", options)


@register.simple_block_tag
def fieldrow(content: str, bound: BoundField, **options: Any) -> SafeString:
    """Like `field`, with what stands between the tags placed behind the control."""
    return _row(bound, content, options)


@register.simple_tag
def control(bound: BoundField, css: str = "", **attrs: str) -> SafeString:
    """Draw only the input of a field, with its error marked; for rows with more than one input."""
    given: dict[str, str | bool] = {"class": css} if css else {}
    return bound.as_widget(attrs=given | {name.replace("_", "-"): value for name, value in attrs.items()})


def _row(bound: BoundField, content: str, options: dict[str, Any]) -> SafeString:
    widget = bound.field.widget
    kind = "input"
    if isinstance(widget, CheckboxInput):
        kind = "check"
    elif isinstance(widget, RadioSelect):
        kind = "choice"
    hint = options.get("hint") or bound.help_text
    described = [f"{bound.auto_id}_e"] if bound.errors else []
    described += [f"{bound.auto_id}_h"] if hint else []
    attrs: dict[str, Any] = {"aria-describedby": " ".join(described)} if described else {}
    if "width" in options and kind == "input":
        attrs["class"] = f"{widget.attrs.get('class', '')} {options['width']}".strip()
    saved = _saved(bound)
    if saved is not None:
        attrs["data-saved"] = saved
    rows = options | {
        "bound": bound,
        "kind": kind,
        "hint": hint,
        "content": content,
        "saved": saved,
        "described": " ".join(described),
        "widget": "" if kind == "choice" else bound.as_widget(attrs=attrs),
    }
    return SafeString(render_to_string("parts/field.html", rows))


def _saved(bound: BoundField) -> str | None:
    # After a refusal the page shows what was typed; the unsaved-changes count needs to know what is stored.
    if not bound.form.is_bound:
        return None
    stored = bound.initial
    if isinstance(bound.field.widget, CheckboxInput):
        return "1" if stored else ""
    return "" if stored is None else str(stored)


@register.inclusion_tag("parts/pager.html", takes_context=True)
def pagination(context: template.Context, page: Page[Any], unit: str = "件") -> dict[str, Any]:
    """Draw page links that keep the conditions in the address."""
    query = context["request"].GET.copy()
    query.pop(PAGE, None)
    query.pop(NEAR, None)
    near = getattr(page, NEAR, "")
    return {
        "page": page,
        "query": query.urlencode(),
        "near": f"&{NEAR}={near}" if near else "",
        "unit": unit,
        "pages": page.paginator.get_elided_page_range(page.number),
    }


@register.inclusion_tag("parts/error_summary.html")
def error_summary(form: Any, problems: Any = ()) -> dict[str, Any]:
    """Draw what must be put right, with a link to each item; nothing when all is well."""
    items = [(bound.auto_id, error) for bound in form for error in bound.errors] if form else []
    items += [("", error) for error in (form.non_field_errors() if form else ())]
    items += list(problems)
    return {"items": items}
