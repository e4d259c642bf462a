from anykey.conversation.losses import Loss
from anykey.protocols.emptied import nothing_left


def test_the_first_thing_lost_of_the_messages_is_named() -> None:
    losses = [Loss("dropped", "top_k", "no"), Loss("dropped", "messages[0].content[0]", "a sound is not taken")]
    failure = nothing_left(losses).failure
    assert failure.message == (
        "messages: nothing in them can be sent to this model: messages[0].content[0]: a sound is not taken"
    )
    assert (failure.kind, failure.param) == ("invalid_request", "messages")


def test_there_may_have_been_none() -> None:
    assert nothing_left([]).failure.message == "messages: at least one message is required"
