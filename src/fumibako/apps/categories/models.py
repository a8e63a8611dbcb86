"""Rows of 区分マスタ and 連絡区分マスタ."""

from __future__ import annotations

from django.db import models


class Category(models.Model):
    """区分: one choice in one list, found by カテゴリ → 区分 → NO (e.g. 連絡記録入力 → 連絡ステータス → 1 未対応)."""

    group = models.CharField(max_length=40)
    section = models.CharField(max_length=40)
    number = models.PositiveIntegerField()
    name1 = models.CharField(max_length=60)
    name2 = models.CharField(max_length=60, blank=True, default="")
    sort_order = models.PositiveIntegerField(default=0)
    is_hidden = models.BooleanField(default=False)
    note = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ["group", "section", "sort_order", "number"]
        constraints = [models.UniqueConstraint(fields=["group", "section", "number"], name="category_number_once")]

    def __str__(self) -> str:
        return self.name1


class ContactCategory(models.Model):
    """連絡区分: three levels, each below its parent."""

    level = models.PositiveSmallIntegerField()
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    name = models.CharField(max_length=60)
    sort_order = models.PositiveIntegerField(default=0)
    is_hidden = models.BooleanField(default=False)

    class Meta:
        ordering = ["level", "sort_order", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(level__in=[1, 2, 3]), name="contact_category_three_levels"),
            models.CheckConstraint(
                condition=models.Q(level=1, parent__isnull=True) | models.Q(level__gt=1, parent__isnull=False),
                name="contact_category_parent_by_level",
            ),
        ]

    def __str__(self) -> str:
        return self.name
