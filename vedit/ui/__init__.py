"""The web page: a front door for people who would rather see than type."""
