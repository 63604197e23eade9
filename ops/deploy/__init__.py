"""``s.yaml`` and ``.env``: reading them as the deployment tool does, and checking them offline."""
