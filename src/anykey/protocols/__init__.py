"""HOW IT IS SPELLED: wire codecs, sans-IO. Each folder is one protocol; they share this level's files, never each other's."""
