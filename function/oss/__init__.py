"""What OSS takes: pure, without a clock, an environment, a network or a log."""
