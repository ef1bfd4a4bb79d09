"""Organisations, the people in them, and how they are known again."""
