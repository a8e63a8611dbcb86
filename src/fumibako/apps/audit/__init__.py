"""Who did what, when: appended, never changed."""
