"""Repair: dust, scratches, frames shown twice, frames that are missing."""

from vedit.edits.repair.edit import Repair as Repair
