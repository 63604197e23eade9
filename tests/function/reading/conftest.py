"""A caller who asks to read."""

import jwt
import pytest

from tests.function.reading.keys import JWT_KEY, OWNER_SECRET, PROFILES


@pytest.fixture
def reading(instance, profiles_file, clock):
    """An instance, and the caller ``me`` who asks it to read."""

    def build(profiles=PROFILES, **changes):
        given = {"CALLER_AUTH": "jwt", "JWT_KEY": JWT_KEY, "JWT_ALGORITHM": "HS256"}
        given |= {"TOKEN_SECRET": "t0ken" * 8, "OWNER_SECRET": OWNER_SECRET}
        function = instance(PROFILES_FILE=profiles_file(profiles), **(given | changes))

        def read(body=None, who="me", **fields):
            token = jwt.encode({"sub": who, "exp": clock().timestamp() + 600}, JWT_KEY, algorithm="HS256")
            headers = {"Authorization": f"Bearer {token}"}
            return function.ask(path="/read", headers=headers, body=fields if body is None else body)

        read.function = function
        return read

    return build
