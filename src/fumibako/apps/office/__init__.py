"""The office itself: its operators, departments and system-wide settings."""
