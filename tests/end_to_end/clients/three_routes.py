"""Three routes through the Python client that openapi-python-client generates."""

import json
import sys

from generated import AuthenticatedClient, Client
from generated.api.after import confirm
from generated.api.callers import login
from generated.api.upload import upload_params
from generated.models import ByTicket, LoginBody, WantedFile

origin = sys.argv[1]
session = login.sync(client=Client(origin), body=LoginBody("local-python"))
caller = AuthenticatedClient(origin, session.token)
form = upload_params.sync(client=caller, body=WantedFile(profile="avatar", filename="a.png"))
confirmed = confirm.sync(client=Client(origin), body=ByTicket(form.ticket))

sys.stdout.write(json.dumps({"fields": [*form.form_data], "code": confirmed.error.code}))
