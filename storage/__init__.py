"""The store: database, blobs, inbox; rows become the core's values here."""
