"""What is done later: at its time, all of it, and nothing after the end."""

import threading
import time

import pytest

from local.wechat.delivery import MOST_AT_ONCE, Delivery


@pytest.fixture
def delivery(clock):
    delivery = Delivery(clock)
    yield delivery
    delivery.stop()


@pytest.fixture
def done():
    """What was done so far, and a wait for so many."""
    done, changed = [], threading.Condition()

    def task(name):
        def do():
            with changed:
                done.append(name)
                changed.notify_all()

        return do

    def wait(count):
        with changed:
            assert changed.wait_for(lambda: len(done) >= count, timeout=60), done
        return done

    task.wait, task.done = wait, done
    return task


def test_each_is_done_at_its_time(delivery, done, clock):
    delivery.put(clock.instant.replace(hour=16), done("late"))
    delivery.put(clock.instant.replace(hour=15), done("soon"))
    delivery.put(clock.instant, done("now"))
    assert done.wait(1) == ["now"]
    clock.tick(hours=1)
    assert done.wait(2) == ["now", "soon"]
    assert delivery.waiting() == 1
    clock.tick(hours=1)
    assert done.wait(3) == ["now", "soon", "late"]
    assert delivery.waiting() == 0


def test_release_sends_every_waiting_push(delivery, done, clock):
    for hour in (17, 15, 16):
        delivery.put(clock.instant.replace(hour=hour), done(hour))
    assert delivery.release() == 3
    assert sorted(done.wait(3)) == [15, 16, 17]
    assert (delivery.waiting(), delivery.release()) == (0, 0)


def test_a_forgotten_task_is_never_done(delivery, done, clock):
    delivery.put(clock.instant.replace(hour=15), done("forgotten"))
    delivery.put(clock.instant, lambda: (delivery.put(clock.instant, done("next")), done("first")()))
    assert done.wait(2) == ["first", "next"]
    delivery.forget()
    delivery.running.wait()
    clock.tick(hours=2)
    delivery.put(clock.instant, done("last"))
    assert done.wait(3)[2:] == ["last"]


def test_hundreds_that_are_due_at_once_are_all_done_and_some_at_a_time(delivery, done, clock):
    doing, most, lock = [], [], threading.Lock()

    def busy():
        with lock:
            doing.append(1)
            most.append(len(doing))
        time.sleep(0.001)
        done("busy")()
        with lock:
            doing.pop()

    for _ in range(500):
        delivery.put(clock.instant, busy)
    assert len(done.wait(500)) == 500
    assert max(most) <= MOST_AT_ONCE


def test_a_stopped_delivery_does_nothing(delivery, done, clock):
    delivery.put(clock.instant.replace(hour=15), done("never"))
    delivery.stop()
    clock.tick(hours=2)
    assert done.done == []


def test_without_anything_to_do_there_is_no_thread(clock):
    before = threading.active_count()
    Delivery(clock).stop()
    assert threading.active_count() == before
