"""What an error, a form or a policy means, in words and with a remedy."""
