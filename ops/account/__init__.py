"""What the account must hold before a deployment: two RAM roles and, if desired, the bucket."""
