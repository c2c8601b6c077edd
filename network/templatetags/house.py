"""The house style in templates: icons, dates, plural words. Loaded for every template."""

from django import template

register = template.Library()
