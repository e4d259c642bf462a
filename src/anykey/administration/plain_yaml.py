"""YAML as plain data: what a file says itself, and no more than it could say without aliases.

An alias stands for all that its anchor holds, so that nine lines can stand for a thousand million words. As long as nobody looks
inside, that costs nothing; whoever then writes one of them into a message, or walks through it, needs all the memory there is.
"""

from __future__ import annotations

from typing import Any

import yaml

MOST_NODES = 1_000_000
"""Of a document, with every alias counted as what it stands for."""


def read_yaml(text: str | bytes) -> object:
    """What the one document in `text` says, in Python's own types; None where it is empty.

    Raises yaml.YAMLError, ValueError, and RecursionError where it is too deep.
    """
    loader: Any = yaml.SafeLoader(text)
    try:
        node: Any = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > MOST_NODES:
            raise ValueError("its aliases stand for too much")
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _size(node: Any, known: dict[int, int]) -> int:
    """The nodes in `node`, itself too. One that is inside itself is endless."""
    found = known.get(id(node))
    if found is None:
        known[id(node)] = MOST_NODES + 1  # what it is as long as we are inside
        children: list[Any] = []
        if isinstance(node, yaml.MappingNode):
            children = [child for pair in node.value for child in pair]
        elif isinstance(node, yaml.SequenceNode):
            children = node.value
        found = known[id(node)] = 1 + sum(_size(child, known) for child in children)
    return found
