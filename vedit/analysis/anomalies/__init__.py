"""Moments at which a film does what films do not do: it stops, jumps, turns round, breaks, or holds alien things."""
