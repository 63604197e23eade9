"""Account set-up before a deployment: two RAM roles and, if desired, the bucket."""
