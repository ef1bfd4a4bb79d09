"""What those who run the system may see and do: organisations in numbers, suspensions, keys, their own log."""
