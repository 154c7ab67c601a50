"""Whole folders: jobs found, shared out to an executor, and written down so that nothing is done twice."""
