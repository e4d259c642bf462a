"""Everything that operators set in the database, as one document: written by `export`, made true by `apply`."""
