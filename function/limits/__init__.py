"""What counts across instances: rates and the quotas of a day, in a store that ``QUOTA_URL`` names."""
