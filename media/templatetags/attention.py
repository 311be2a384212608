"""How many things need attention, for the navigation of every page."""

from __future__ import annotations

from django import template

from media.attention import count_open

register = template.Library()


@register.simple_tag(takes_context=True)
def open_items(context: template.Context) -> int:
    """What the page has counted already, else counted now; at most one query."""
    if "open_items" in context:
        return int(context["open_items"])
    return count_open(context["request"].user)
