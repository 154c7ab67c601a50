"""Two films side by side: measured in one pass, and shown on a page."""
