"""What the self-contained pages have in common: their frame and style, small films that play in them, and plots."""
