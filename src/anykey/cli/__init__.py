"""The `anykey` command. Each command asks administration or settings and shows the answer; none decides."""
