"""Portkey's queries: each operator, the fields, and what is refused with its place."""

from typing import Any

import pytest

from anykey.routing.ask import Facts
from anykey.routing.queries import LONGEST_PATTERN, PARAMS, QueryError, compile_query

CALL = Facts(
    model="gpt-6",
    protocol="openai_chat",
    stream=True,
    tokens=1000,
    max_tokens=50,
    effort="high",
    metadata={"plan": "paid", "seats": "12", "beta": "true"},
    headers={"x-team": "search"},
)


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ({"metadata.plan": {"$eq": "paid"}}, True),
        ({"metadata.plan": "paid"}, True),
        ({"metadata.plan": {"$eq": "free"}}, False),
        ({"metadata.none": {"$eq": "paid"}}, False),
        ({"metadata.none": {"$ne": "paid"}}, True),
        ({"metadata.plan": {"$ne": "paid"}}, False),
        ({"metadata.plan": {"$in": ["free", "paid"]}}, True),
        ({"metadata.plan": {"$nin": ["free", "paid"]}}, False),
        ({"metadata.none": {"$nin": ["free"]}}, True),
        ({"metadata.none": {"$in": ["free"]}}, False),
        ({"metadata.seats": {"$gt": 9}}, True),
        ({"metadata.seats": {"$gt": 12}}, False),
        ({"metadata.seats": {"$gte": 12, "$lt": 13}}, True),
        ({"metadata.seats": {"$eq": 12}}, True),
        ({"metadata.plan": {"$gt": 9}}, False),
        ({"metadata.plan": {"$lte": "z"}}, True),
        ({"metadata.beta": {"$eq": True}}, True),
        ({"metadata.none": {"$eq": False}}, False),
        ({"params.stream": {"$eq": True}}, True),
        ({"params.stream": {"$gt": 0}}, False),
        ({"params.model": {"$regex": "^gpt-"}}, True),
        ({"params.model": {"$regex": "^claude"}}, False),
        ({"metadata.none": {"$regex": ".*"}}, False),
        ({"params.max_tokens": {"$lte": 50}}, True),
        ({"headers.X-Team": "search"}, True),
        ({"$and": [{"params.tokens": {"$gt": 1}}, {"metadata.plan": "paid"}]}, True),
        ({"$or": [{"params.tokens": {"$gt": 10_000}}, {"metadata.plan": "paid"}]}, True),
        ({"$or": [{"params.tokens": {"$gt": 10_000}}, {"metadata.plan": "free"}]}, False),
        ({"metadata.plan": "paid", "params.tokens": {"$lt": 1}}, False),
    ],
)
def test_operators(query: dict[str, Any], holds: bool) -> None:
    assert compile_query(query)(CALL) is holds


@pytest.mark.parametrize("name", PARAMS)
def test_every_param_can_be_asked_for(name: str) -> None:
    assert compile_query({f"params.{name}": {"$ne": "no such value"}})(CALL) is True


@pytest.mark.parametrize(
    ("query", "place", "what"),
    [
        ({}, "", "expected an object"),
        ([], "", "expected an object"),
        ({"metadata.plan": {}}, ".metadata.plan", "operator"),
        ({"metadata.plan": {"$near": 1}}, ".metadata.plan", "'$near' is no operator"),
        ({"metadata.plan": {"$in": "paid"}}, ".metadata.plan", "list"),
        ({"metadata.plan": {"$gt": True}}, ".metadata.plan", "number"),
        ({"plan": "paid"}, ".plan", "metadata.NAME"),
        ({"params.temperature": 1}, ".params.temperature", "only these"),
        ({"$or": []}, ".$or", "list of queries"),
        ({"$or": [{"plan": 1}]}, ".$or[0].plan", "metadata.NAME"),
        ({"params.model": {"$regex": "("}}, ".params.model", "not understood"),
        ({"params.model": {"$regex": "a" * (LONGEST_PATTERN + 1)}}, ".params.model", "at most"),
    ],
)
def test_what_cannot_be_meant_names_its_place(query: Any, place: str, what: str) -> None:
    with pytest.raises(QueryError) as refused:
        compile_query(query)
    assert refused.value.place == place
    assert what in str(refused.value)


def test_patterns_can_be_refused() -> None:
    with pytest.raises(QueryError, match="admin"):
        compile_query({"params.model": {"$regex": "a"}}, patterns=False)


def test_nesting_is_bounded() -> None:
    query: dict[str, Any] = {"metadata.plan": "paid"}
    for _ in range(20):
        query = {"$and": [query]}
    with pytest.raises(QueryError, match="deep"):
        compile_query(query)


def test_an_evil_pattern_takes_no_longer_than_its_text() -> None:
    call = Facts(model="a" * 5000 + "b", protocol="openai_chat")
    assert compile_query({"params.model": {"$regex": "^(a+)+$"}})(call) is False
