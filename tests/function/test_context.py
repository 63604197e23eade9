"""instance: what outlives a request is made once, whoever asks for it first."""

import threading
import time

from function.context import Dependencies, Instance


def new_instance():
    return Instance(Dependencies({}), None, {}, lambda _context: None)


def test_an_object_of_a_kind_is_made_when_it_is_first_asked_for_and_kept():
    instance, made = new_instance(), []
    for _ in range(3):
        made.append(instance.keep(list, lambda: ["the one"]))
    assert made[0] is made[1] is made[2]
    assert instance.keep(dict, dict) == {}


def test_two_who_ask_first_at_once_get_the_same_object():
    instance, made = new_instance(), []

    def make():
        time.sleep(0.1)  # in which the other gets as far
        made.append(object())
        return made[-1]

    threads = [threading.Thread(target=instance.keep, args=(object, make)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert instance.keep(object, make) is made[0]


def test_the_surroundings_show_nothing_of_the_environment():
    assert repr(Dependencies({"TOKEN_SECRET": "canary"})) == "Dependencies(…)"
