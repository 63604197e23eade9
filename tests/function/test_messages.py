"""messages: translatable operator messages."""

from function.messages import Message


def test_a_message_keeps_its_template_and_values():
    message = Message("{name} has {{id}} of {value!r}", name="key", value="a")
    assert message == "key has {id} of 'a'"
    assert (message.template, message.values) == (
        "{name} has {{id}} of {value!r}",
        {"name": "key", "value": "a"},
    )
