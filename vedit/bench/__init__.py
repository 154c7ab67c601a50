"""The product measured against what users would pick instead."""
