"""Words and tags for what leads do with cases."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

register = template.Library()


@register.simple_tag
def priority_tag(priority: int) -> SafeString:
    """What is read earlier than others, or later; nothing for the ordinary."""
    if priority == 0:
        return SafeString("")
    if priority >= 2:
        return format_html('<span class="tag warn">{}</span>', gettext("urgent"))
    return format_html('<span class="tag">{}</span>', gettext("sooner") if priority > 0 else gettext("later"))
