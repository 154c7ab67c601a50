"""Checkpoints that others trained: which are known, where they are, and how they become a diffusers pipeline."""
