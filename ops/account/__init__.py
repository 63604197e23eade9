"""What the account must hold before a deployment: two RAM roles and, if wanted, the bucket."""
