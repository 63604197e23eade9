"""phrase: English that keeps what it was made of."""

from function.config.messages import Message


def test_a_phrase_is_its_text_and_keeps_what_it_was_made_of():
    phrase = Message("{name} has {{id}} of {value!r}", name="key", value="a")
    assert phrase == "key has {id} of 'a'"
    assert (phrase.template, phrase.values) == (
        "{name} has {{id}} of {value!r}",
        {"name": "key", "value": "a"},
    )
