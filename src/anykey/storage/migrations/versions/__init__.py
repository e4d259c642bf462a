"""One file a revision, `<number>_<what>.py`. A released one is never edited."""
