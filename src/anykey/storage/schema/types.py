"""What all tables share: the metadata they belong to, and the type of whole numbers: 64 bits in every database."""

from sqlalchemy import BigInteger, Integer, MetaData

metadata = MetaData()
BIG = BigInteger().with_variant(Integer, "sqlite")
"""Milliseconds and nano-USD do not fit the 32 bits of PostgreSQL's integer; SQLite's has 64."""
